import { EngineError } from '#errors';

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
