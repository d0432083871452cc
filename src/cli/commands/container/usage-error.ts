import { describeError } from '../../framework/describe-error.ts';
import { CliError } from '../../framework/errors.ts';

/** Exit code for containers that could not be made or started. */
const engineFailureCode = 125;
/** What a shell answers for a command that cannot be executed. */
const notExecutableCode = 126;
/** What a shell answers for a command that is not there. */
const notFoundCode = 127;

/** Docker's form for failures of `run` and `create`: the program's name before, a pointer to the help after. */
function withHelp(program: string, command: string, message: string): string {
  return `${program}: ${message}\n\nRun '${program} ${command} --help' for more information`;
}

/** Runs `parse`; what it throws becomes a message with a pointer to the command's help. */
export function asUsageError<T>(program: string, command: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(withHelp(program, command, error.message), engineFailureCode, { cause: error });
  }
}

/** What a failure to make or start a container is for `run`; its text tells the exit code, as in Docker. */
export function runFailure(program: string, error: unknown): CliError {
  const message = describeError(error, program);
  return new CliError(withHelp(program, 'run', message), runFailureCode(message), { cause: error });
}

function runFailureCode(message: string): number {
  const missing = ['executable file not found', 'no such file or directory', 'system cannot find the file specified'];
  if (missing.some((words) => message.includes(words))) return notFoundCode;
  if (['permission denied', 'is a directory'].some((words) => message.includes(words))) return notExecutableCode;
  return engineFailureCode;
}
