import { EngineError, findEngineError } from '#errors';

/** A failed start: what the API answers and what the container's state remembers. */
export interface StartFailure {
  error: EngineError;
  exitCode: 126 | 127 | 128;
}

const mountFailures = new Set([
  'VOLUME_MOUNT_FAILED',
  'SUBPATH_MISSING',
  'SUBPATH_ESCAPES',
  'BIND_SOURCE_MISSING',
  'NO_SUCH_DRIVER',
  'PLUGIN_FAILED',
]);

/**
 * Docker's view of a failed start. Its clients derive the exit code from the text: 127 for "executable file not found"
 * and "no such file or directory", 126 for "permission denied" and "is a directory", else 125.
 */
export function toStartFailure(cause: unknown, command: string): StartFailure {
  const known = findEngineError(cause);
  const message = known?.message ?? (cause instanceof Error ? cause.message : String(cause));
  const fail = (
    exitCode: StartFailure['exitCode'],
    kind: 'invalidArgument' | 'internal',
    reason: string,
  ): StartFailure => ({
    error: new EngineError(
      kind,
      'CONTAINER_START_FAILED',
      `failed to create task for container: OCI runtime create failed: unable to start container process: ${reason}`,
      { cause },
    ),
    exitCode,
  });
  // What was to be mounted failed, not the command, whatever the words.
  if (known && mountFailures.has(known.code)) return { error: known, exitCode: 128 };
  if (command.includes('/') && /no such file or directory/i.test(message)) {
    return fail(127, 'invalidArgument', `exec: "${command}": stat ${command}: no such file or directory`);
  }
  if (/executable file .*not found|not found in \$PATH/i.test(message)) {
    return fail(127, 'invalidArgument', `exec: "${command}": executable file not found in $PATH`);
  }
  if (
    /permission denied|operation not permitted|is a directory|not executable/i.test(message) &&
    isAboutCommand(message)
  ) {
    return fail(126, 'invalidArgument', `exec: "${command}": permission denied`);
  }
  if (/exec format error/i.test(message)) return fail(126, 'invalidArgument', `exec ${command}: exec format error`);
  if (known && (known.kind !== 'internal' || known.code === 'PORTS_NOT_PUBLISHED'))
    return { error: known, exitCode: 128 };
  return fail(128, 'internal', message);
}

function isAboutCommand(message: string): boolean {
  return /exec|executable|is not a regular file/i.test(message);
}
