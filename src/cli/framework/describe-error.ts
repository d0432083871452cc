import { ApiError, ConnectionError } from '#client';
import { isAbort, isErrno } from '#lib';
import { CliError } from './errors.ts';

/** What standard error says about a failure; empty when it is to be silent. */
export function describeError(error: unknown, program: string): string {
  if (error instanceof ApiError) return `Error response from daemon: ${error.message}`;
  if (error instanceof ConnectionError) return describeConnection(error, program);
  if (isAbort(error)) return '';
  return error instanceof Error ? error.message : String(error);
}

export function exitCodeOf(error: unknown): number {
  return error instanceof CliError ? error.exitCode : 1;
}

function describeConnection(error: ConnectionError, program: string): string {
  const [product, daemon] = program === 'docker' ? ['Docker', 'the docker daemon'] : ['Berth', 'berthd'];
  if (isErrno(error.cause, 'EACCES', 'EPERM')) {
    return `permission denied while trying to connect to the ${product} daemon socket at ${error.host}`;
  }
  if (isErrno(error.cause, 'ENOENT', 'ECONNREFUSED')) {
    return `Cannot connect to the ${product} daemon at ${error.host}. Is ${daemon} running?`;
  }
  const why = error.cause instanceof Error ? error.cause.message : String(error.cause);
  return `error during connect: ${error.host}: ${why}`;
}
