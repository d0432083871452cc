import { EngineError, type ErrorKind, findEngineError } from '#errors';
import { REGISTRY_ERRORS, type RegistryErrorEntry, type RegistryErrorName, registryErrorEntry } from '#registry';

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalidArgument',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  405: 'notImplemented',
  413: 'invalidArgument',
  416: 'invalidArgument',
  429: 'unavailable',
  503: 'unavailable',
};

export interface RegistryErrorOptions {
  /** Instead of the table's words. */
  readonly message?: string;
  /** The `detail` of the answer. */
  readonly detail?: unknown;
  /** Instead of the table's status, where a clause names another. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A failure with a code of the distribution-spec, answered with its status. */
export function registryError(code: RegistryErrorName, options: RegistryErrorOptions = {}): EngineError {
  const row = REGISTRY_ERRORS[code];
  const status = options.status ?? row.status;
  return new EngineError(kinds[status] ?? 'internal', code, options.message ?? row.description, {
    cause: options.cause,
    details: { status, headers: options.headers ?? {}, ...('detail' in options ? { detail: options.detail } : {}) },
  });
}

/** How a failure is answered. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly entry: RegistryErrorEntry;
}

/** What a client is told of `error`; of what is no {@link registryError} it learns nothing but that it happened. */
export function describeFailure(error: unknown): ErrorAnswer {
  const known = findEngineError(error);
  if (known && Object.hasOwn(REGISTRY_ERRORS, known.code)) {
    const { status, headers, detail } = known.details;
    return {
      status: typeof status === 'number' ? status : 500,
      headers: isTextRecord(headers) ? headers : {},
      entry: registryErrorEntry(known.code as RegistryErrorName, known.message, detail),
    };
  }
  return { status: 500, headers: {}, entry: registryErrorEntry('UNKNOWN') };
}

function isTextRecord(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string');
}
