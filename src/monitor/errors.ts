import { EngineError, findEngineError } from '#errors';

/** conmon or the runtime under it refused; `message` is the runtime's own text, for the caller to map. */
export function launchFailed(id: string, message: string, cause?: unknown): EngineError {
  return new EngineError('internal', 'LAUNCH_FAILED', message, { cause, details: { id } });
}

/** Nobody listens on a process's attach socket: it ended, or was never started. */
export function attachFailed(directory: string, cause: unknown): EngineError {
  return new EngineError('conflict', 'ATTACH_FAILED', `cannot attach: the process is not running`, {
    cause,
    details: { directory },
  });
}

/** A control message found no conmon. */
export function monitorGone(directory: string, cause: unknown): EngineError {
  return new EngineError('conflict', 'MONITOR_GONE', 'the process is not running', { cause, details: { directory } });
}

/** What was thrown, as the Error that streams want. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Whether `error` comes from a kernel call that failed with one of these. */
export function hasErrno(error: unknown, ...names: string[]): boolean {
  const errno = findEngineError(error)?.details['errno'];
  return typeof errno === 'string' && names.includes(errno);
}
