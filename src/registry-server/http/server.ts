import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from '#lib';
import { encodeRegistryErrors } from '#registry';
import type { Access } from '../auth/access.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { describeFailure, registryError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import { allowedMethods, findRoute, type Routes } from './routes.ts';
import { parseTarget, type Target } from './target.ts';

/** A connection that neither sends nor takes anything for so long is closed. */
const idleMs = 120_000;
/** Headers must have come by then. */
const headersMs = 30_000;
/** How long a client may go on sending a body that was refused, so that it sees the answer and not a broken connection. */
const lingerMs = 5_000;
const maxHeaderBytes = 32 * 1024;
const maxConnections = 4096;

/** One answered request, for the access log and the metrics. Nothing in it is secret. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  /** What kind of thing was asked for; `other` outside `/v2/`. */
  readonly kind: string;
  readonly status: number;
  readonly durationMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly user: string;
  readonly address: string;
  readonly userAgent: string;
}

/** A handler outside `/v2/`. It authenticates whom it wants itself. */
export type ExtraHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => Promise<void> | void;

export interface ServerParts {
  readonly routes: Routes;
  readonly extras: Readonly<Record<string, ExtraHandler>>;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly onAnswered: (answered: Answered) => void;
}

// Node's strict parser refuses doubled lengths, a length beside chunks, and bare line feeds.
const serverOptions: ServerOptions = {
  insecureHTTPParser: false,
  maxHeaderSize: maxHeaderBytes,
  keepAliveTimeout: idleMs,
  highWaterMark: 256 * 1024,
  noDelay: true,
};

/** Node's server with this registry's limits, for HTTPS where `tls` is given. */
export function createRegistryServer(parts: ServerParts, tls?: SecureContextOptions): Server | TlsServer {
  const traffic = new Traffic();
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void serve(parts, traffic, request, response);
  const server = tls ? createTlsServer({ ...serverOptions, ...tls }, listener) : createServer(serverOptions, listener);
  server.headersTimeout = headersMs;
  // Large blobs over slow lines take long; a body that stalls is given up by its reader.
  server.requestTimeout = 0;
  server.timeout = idleMs;
  server.maxConnections = maxConnections;
  return server;
}

/** Bytes per request, from the counters of its connection. */
class Traffic {
  readonly #seen: WeakMap<Socket, { read: number; written: number }>;

  constructor() {
    this.#seen = new WeakMap();
  }

  /** What went over the connection since the last look. */
  since(socket: Socket): { receivedBytes: number; sentBytes: number } {
    const before = this.#seen.get(socket) ?? { read: 0, written: 0 };
    const now = { read: socket.bytesRead, written: socket.bytesWritten };
    this.#seen.set(socket, now);
    return { receivedBytes: now.read - before.read, sentBytes: now.written - before.written };
  }
}

async function serve(
  parts: ServerParts,
  traffic: Traffic,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startMs = performance.now();
  const seen: { kind: string; user: string; path: string } = { kind: 'other', user: '', path: '' };
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
    parts.onAnswered({
      method: request.method ?? '',
      path: seen.path,
      kind: seen.kind,
      status: response.headersSent ? response.statusCode : 499,
      durationMs: Math.round((performance.now() - startMs) * 100) / 100,
      ...traffic.since(request.socket),
      user: seen.user,
      address: request.socket.remoteAddress ?? '',
      userAgent: request.headers['user-agent'] ?? '',
    });
  });
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  try {
    const { path, query } = splitUrl(request.url ?? '');
    seen.path = path;
    const extra = Object.hasOwn(parts.extras, path) ? parts.extras[path] : undefined;
    if (extra) await extra(request, response, query);
    else await dispatch(parts, { request, response, query, signal: gone.signal }, path, seen);
  } catch (error) {
    fail(parts.logger, request, response, error);
  }
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  if (!path.startsWith('/')) throw registryError('NAME_INVALID', { message: 'invalid request target' });
  return { path, query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)) };
}

async function dispatch(
  parts: ServerParts,
  exchange: Omit<Exchange, 'access'>,
  path: string,
  seen: { kind: string; user: string },
): Promise<void> {
  const { request } = exchange;
  const target = parseTarget(path);
  if (!target) throw registryError('NAME_UNKNOWN', { message: 'page not found' });
  seen.kind = target.kind;
  const route = findRoute(parts.routes, target, request.method ?? '');
  if (!route) throw registryError('UNSUPPORTED', { headers: { Allow: allowedMethods(parts.routes, target) } });
  const access = await parts.authenticator.authenticate(request);
  seen.user = access.user;
  const { action } = route;
  if (!isAllowed(parts.authenticator, access, target, action)) {
    throw parts.authenticator.refuse(request, access, {
      repository: 'repository' in target ? target.repository : undefined,
      actions: action === 'base' ? [] : action === 'push' ? ['pull', 'push'] : [action],
    });
  }
  await route.run({ ...exchange, access });
}

function isAllowed(authenticator: Authenticator, access: Access, target: Target, action: string): boolean {
  if (action === 'base') return !authenticator.asksAtBase || access.isAuthenticated;
  if (action === 'catalog') return access.mayListCatalog();
  return 'repository' in target && access.may(target.repository, action as 'pull' | 'push' | 'delete');
}

function fail(logger: Logger, request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { status, headers, entry } = describeFailure(error);
  if (response.destroyed || request.socket.destroyed) return;
  if (status >= 500)
    logger.error('request failed', { method: request.method, path: request.url?.split('?', 1)[0], error });
  if (response.headersSent) {
    // The answer cannot be taken back; a connection that breaks tells the client that it is not whole.
    response.destroy();
    return;
  }
  if (!request.complete) linger(request, response);
  const body = encodeRegistryErrors([entry]);
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Node reads and drops what is left of a body; not for ever. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  const timer = setTimeout(() => request.socket.destroy(), lingerMs);
  timer.unref();
  request.once('end', () => clearTimeout(timer));
  response.once('close', () => {
    if (request.complete) clearTimeout(timer);
  });
}
