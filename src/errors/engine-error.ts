/** What a caller does about a failure; the API maps each kind to one HTTP status. */
export type ErrorKind =
  | 'notFound'
  | 'invalidArgument'
  | 'alreadyExists'
  | 'conflict'
  | 'notModified'
  | 'unauthorized'
  | 'forbidden'
  | 'unavailable'
  | 'notImplemented'
  | 'cancelled'
  | 'dataLoss'
  | 'internal';

export interface ErrorOptionsWithDetails {
  cause?: unknown;
  /** Facts about the failure as fields, so that nobody parses the message. */
  details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of the engine.
 *
 * `kind` decides what callers do, `code` is a stable name for this exact failure (`CONTAINER_NOT_RUNNING`),
 * `message` is what the user reads and, where Docker's clients match it, Docker's own text.
 */
export class EngineError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(kind: ErrorKind, code: string, message: string, options: ErrorOptionsWithDetails = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'EngineError';
    this.kind = kind;
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * The outermost {@link EngineError} on the cause chain of `error`, looking inside `SuppressedError` too
 * (there the original failure lands when clean-up fails as well).
 */
export function findEngineError(error: unknown): EngineError | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 16 && current !== undefined && current !== null; depth++) {
    if (current instanceof EngineError) return current;
    if (current instanceof SuppressedError) {
      const inner = findEngineError(current.suppressed);
      if (inner) return inner;
      current = current.error;
    } else if (current instanceof Error) {
      current = current.cause;
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** Whether `error` is, or wraps, an {@link EngineError} of this kind. */
export function isKind(error: unknown, kind: ErrorKind): boolean {
  return findEngineError(error)?.kind === kind;
}
