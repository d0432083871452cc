import { EngineError, type ErrorKind } from '#errors';
import { redactUrl } from './redact.ts';

/** Why there was no answer. Decides whether another way (without verification, by plain http) is worth a try. */
export type ConnectionFailure =
  | 'refused'
  | 'lookup'
  | 'certificate'
  | 'not-tls'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'other';

interface RegistryFailureDetails {
  /** Whether the same may succeed a moment later. */
  readonly transient?: boolean;
  readonly connection?: ConnectionFailure;
  readonly status?: number;
  readonly retryAfterMs?: number | undefined;
  /** Codes of the distribution-spec that the registry named. */
  readonly registryCodes?: readonly string[];
}

/** An {@link EngineError} whose details follow {@link RegistryFailureDetails}. */
export function registryFailure(
  kind: ErrorKind,
  code: string,
  message: string,
  details: RegistryFailureDetails = {},
  cause?: unknown,
): EngineError {
  return new EngineError(kind, code, message, { cause, details: { ...details } });
}

export function isTransient(error: unknown): boolean {
  return error instanceof EngineError && error.details['transient'] === true;
}

export function connectionFailureOf(error: unknown): ConnectionFailure | undefined {
  return error instanceof EngineError ? (error.details['connection'] as ConnectionFailure | undefined) : undefined;
}

export function statusOf(error: unknown): number | undefined {
  const status = error instanceof EngineError ? error.details['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

export function retryAfterOf(error: unknown): number | undefined {
  const delay = error instanceof EngineError ? error.details['retryAfterMs'] : undefined;
  return typeof delay === 'number' ? delay : undefined;
}

/** Docker's words for work that its caller gave up. */
export function cancelled(signal: AbortSignal): EngineError {
  return new EngineError('cancelled', 'CANCELLED', 'context canceled', { cause: signal.reason });
}

/** `Get "https://host/v2/": reason`, the way Go's client writes what went wrong with a request. */
export function requestText(method: string, url: URL, reason: string): string {
  const operation = method.charAt(0) + method.slice(1).toLowerCase();
  return `${operation} "${redactUrl(url)}": ${reason}`;
}

const certificateCodes = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

interface NodeError extends Error {
  code?: string;
  address?: string;
  port?: number;
  hostname?: string;
  reason?: string;
  errors?: unknown;
}

/** What a failed connection is called, and the words of Go for it. */
export function explainConnectionError(error: unknown): { failure: ConnectionFailure; text: string } {
  const first: NodeError = firstOf(error);
  const code = first.code ?? '';
  const peer = first.address === undefined ? '' : ` ${formatPeer(first.address, first.port)}`;
  if (certificateCodes.has(code)) {
    return {
      failure: 'certificate',
      text: 'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return {
      failure: 'certificate',
      text: 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      failure: 'certificate',
      text: `tls: failed to verify certificate: x509: ${first.reason ?? first.message}`,
    };
  }
  if (/wrong.version.number|packet.length.too.long|http.request/i.test(first.message)) {
    return { failure: 'not-tls', text: 'http: server gave HTTP response to HTTPS client' };
  }
  switch (code) {
    case 'ECONNREFUSED':
      return { failure: 'refused', text: `dial tcp${peer}: connect: connection refused` };
    case 'EHOSTUNREACH':
      return { failure: 'other', text: `dial tcp${peer}: connect: no route to host` };
    case 'ENETUNREACH':
      return { failure: 'other', text: `dial tcp${peer}: connect: network is unreachable` };
    case 'ENOTFOUND':
      return { failure: 'lookup', text: `dial tcp: lookup ${first.hostname ?? ''}: no such host` };
    case 'EAI_AGAIN':
      return {
        failure: 'timeout',
        text: `dial tcp: lookup ${first.hostname ?? ''}: temporary failure in name resolution`,
      };
    case 'ETIMEDOUT':
      return { failure: 'timeout', text: `dial tcp${peer}: i/o timeout` };
    case 'EPIPE':
      return { failure: 'reset', text: 'write: broken pipe' };
    case 'ECONNRESET':
    case 'ECONNABORTED':
      return {
        failure: 'reset',
        text: /hang up|aborted|disconnected/.test(first.message) ? 'EOF' : 'read: connection reset by peer',
      };
    case 'HPE_HEADER_OVERFLOW':
      return { failure: 'protocol', text: 'net/http: server response headers exceeded the limit' };
    default:
  }
  if (code.startsWith('HPE_')) return { failure: 'protocol', text: `malformed HTTP response: ${first.message}` };
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO') {
    return { failure: 'tls', text: `remote error: tls: ${first.reason ?? first.message}` };
  }
  return { failure: 'other', text: first.message };
}

/** Of several attempts (one per address of a name) the first one's error, as Go tells it. */
function firstOf(error: unknown): NodeError {
  if (error instanceof AggregateError) {
    const inner: unknown = error.errors[0];
    if (inner instanceof Error) return inner;
  }
  return error instanceof Error ? error : new Error(String(error));
}

function formatPeer(address: string, port: number | undefined): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}

/** Refused connections and names that do not exist stay so for a while; the rest may pass. */
export function connectionError(method: string, url: URL, error: unknown): EngineError {
  const { failure, text } = explainConnectionError(error);
  const transient = failure === 'timeout' || failure === 'reset';
  return registryFailure(
    'unavailable',
    'REGISTRY_UNREACHABLE',
    requestText(method, url, text),
    { transient, connection: failure },
    error,
  );
}

export function timeoutError(method: string, url: URL, text: string): EngineError {
  return registryFailure('unavailable', 'REGISTRY_TIMEOUT', requestText(method, url, text), {
    transient: true,
    connection: 'timeout',
  });
}
