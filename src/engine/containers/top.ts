import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngineError } from '#errors';
import type { TopResponse } from '#spec';

const run = promisify(execFile);
/** ps reads /proc only; beyond this something is wrong with the host. */
const psTimeoutMs = 10_000;

/**
 * The processes with these pids as `ps` on the host lists them.
 *
 * @throws invalidArgument when the arguments would change what ps prints first, or ps refuses them.
 */
export async function listProcesses(pids: ReadonlySet<number>, psArgs: string): Promise<TopResponse> {
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  for (const arg of args) {
    if (/^-?-?(o|format)?=?.*\bpid=\w/.test(arg)) {
      throw new EngineError('invalidArgument', 'INVALID_PS_ARGS', `specifying "${arg}" is not allowed`);
    }
  }
  const { stdout } = await runPs(args);
  return selectRows(stdout, pids);
}

async function runPs(args: string[]): Promise<{ stdout: string }> {
  try {
    return await run('ps', args, { timeout: psTimeoutMs, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).split('\n')[0] : String(cause);
    throw new EngineError('internal', 'PS_FAILED', `error running ps: ${stderr}`, { cause });
  }
}

/** Parses ps output: the last column keeps its spaces. */
export function selectRows(output: string, pids: ReadonlySet<number>): TopResponse {
  const [header = '', ...lines] = output.split('\n').filter((line) => line.trim() !== '');
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) {
    throw new EngineError('invalidArgument', 'PS_WITHOUT_PID', "couldn't find PID field in ps output");
  }
  const processes = lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    if (!pids.has(Number(words[pidColumn]))) return [];
    return [[...words.slice(0, titles.length - 1), words.slice(titles.length - 1).join(' ')]];
  });
  return { Titles: titles, Processes: processes };
}
