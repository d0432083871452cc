/** The daemon answered with an error status; `message` is its own. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

/** No connection to the daemon could be made; `host` is the address as it was given, `cause` the system's error. */
export class ConnectionError extends Error {
  readonly host: string;

  constructor(host: string, cause: unknown) {
    super(`cannot connect to ${host}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ConnectionError';
    this.host = host;
  }
}

/** The peer does not speak HTTP as expected, or went away in the middle of an answer. */
export class ProtocolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ProtocolError';
  }
}
