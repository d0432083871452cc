import { type EngineError, type ErrorKind, findEngineError } from '#errors';

/** Which HTTP status tells a client about each kind of failure. */
const statusOfKind = {
  notFound: 404,
  invalidArgument: 400,
  alreadyExists: 409,
  conflict: 409,
  notModified: 304,
  unauthorized: 401,
  forbidden: 403,
  unavailable: 503,
  notImplemented: 501,
  cancelled: 500,
  dataLoss: 500,
  internal: 500,
} satisfies Record<ErrorKind, number>;

/** A failure as it goes to the client. */
export interface Failure {
  status: number;
  message: string;
  /** The failure has no {@link EngineError}: nobody foresaw it, so it is logged with its stack. */
  unforeseen: boolean;
}

/** What the client is told about `error`. */
export function describeFailure(error: unknown): Failure {
  const known: EngineError | undefined = findEngineError(error);
  if (known) return { status: statusOfKind[known.kind], message: known.message, unforeseen: false };
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, message, unforeseen: true };
}
