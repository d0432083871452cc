import { EngineError } from '#errors';

/** An option that dockerd refuses, with its text. */
export function invalidOption(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_LOG_OPT', message);
}

/** The receiver is not there or went away; worth another try. */
export function undelivered(message: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', 'LOG_UNDELIVERED', message, { cause });
}
