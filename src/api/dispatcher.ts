import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import { announcesBody } from './http/body.ts';
import { Exchange, type RequestFacts } from './http/exchange.ts';
import { baseHeaders } from './http/headers.ts';
import type { RoutedRequest, Target } from './http/incoming.ts';
import { Query } from './http/query.ts';
import { RawExchange } from './http/raw-exchange.ts';
import { discardRest } from './http/request-body.ts';
import { describeFailure } from './http/status.ts';
import type { Route } from './route.ts';
import { Router } from './router.ts';
import { compareVersion, newestMinor, newestVersion, oldestMinor, oldestVersion, splitVersion } from './version.ts';

type Routed =
  | { route: Route; facts: RequestFacts; refusal?: undefined }
  | { facts: RequestFacts; refusal: EngineError };

/** Takes requests to their routes and failures to their statuses. */
export class Dispatcher {
  readonly #router: Router;
  readonly #logger: Logger;
  readonly #server: { baseHeaders: readonly string[]; shutdown: AbortSignal };
  readonly #shutdown: AbortController;
  /** Requests being served, with the connection each came over. */
  readonly #underWay: Map<Promise<void>, Duplex>;

  constructor(routes: readonly Route[], logger: Logger, engineVersion: string) {
    this.#router = new Router(routes);
    this.#logger = logger;
    this.#shutdown = new AbortController();
    // Every request that streams listens for it.
    setMaxListeners(0, this.#shutdown.signal);
    this.#server = { baseHeaders: baseHeaders(engineVersion), shutdown: this.#shutdown.signal };
    this.#underWay = new Map();
  }

  find(method: string, url: string): Target {
    const question = url.indexOf('?');
    const whole = question < 0 ? url : url.slice(0, question);
    const search = question < 0 ? '' : url.slice(question + 1);
    const { version, path } = splitVersion(whole.startsWith('/') ? whole : pathOfAbsolute(whole));
    try {
      return { version, path, search, match: this.#router.find(method, path), malformed: false };
    } catch {
      return { version, path, search, match: undefined, malformed: true };
    }
  }

  serve(request: RoutedRequest, response: ServerResponse): Promise<void> {
    return this.#follow(request.socket, this.#serve(request, response));
  }

  /** A request sent before the one before it was answered cannot have the connection; it is cut. */
  async serveRaw(request: RoutedRequest, socket: Socket, head: Buffer): Promise<void> {
    if (this.busySockets().has(socket)) {
      socket.destroy();
      return;
    }
    await this.#follow(socket, this.#serveRaw(request, socket, head));
  }

  /** Ends what streams and waits for what is under way, but no longer than `drainMs`. */
  async drain(drainMs: number): Promise<void> {
    this.abort();
    const over = new AbortController();
    await Promise.race([
      Promise.all(this.#underWay.keys()),
      sleep(drainMs, undefined, { signal: over.signal }).catch(() => undefined),
    ]);
    over.abort();
  }

  /** Connections that are in the middle of a request. */
  busySockets(): Set<Duplex> {
    return new Set(this.#underWay.values());
  }

  abort(): void {
    if (!this.#shutdown.signal.aborted) this.#shutdown.abort();
  }

  async #follow(socket: Duplex, work: Promise<void>): Promise<void> {
    this.#underWay.set(work, socket);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  async #serve(request: RoutedRequest, response: ServerResponse): Promise<void> {
    const routed = this.#tryRoute(request);
    const exchange = new Exchange(request, response, routed.facts, this.#server);
    response.on('error', () => undefined);
    try {
      if (routed.refusal) throw routed.refusal;
      if (routed.route.handler.kind !== 'answer') throw notImplemented(routed.route);
      await routed.route.handler.run(exchange);
    } catch (error) {
      this.#fail(exchange, request, error);
    }
    if (announcesBody(request.headers)) discardRest(request);
    if (this.#shutdown.signal.aborted) lastOf(request.socket, response);
  }

  async #serveRaw(request: RoutedRequest, socket: Socket, head: Buffer): Promise<void> {
    const routed = this.#tryRoute(request);
    const exchange = new RawExchange(request, socket, head, routed.facts, this.#server);
    try {
      if (routed.refusal) throw routed.refusal;
      if (routed.route.handler.kind !== 'raw') throw notImplemented(routed.route);
      await routed.route.handler.run(exchange);
    } catch (error) {
      const failure = this.#describe(request, error);
      if (exchange.answered || socket.destroyed) socket.destroy();
      else exchange.reply(failure.status, 'application/json', `${JSON.stringify({ message: failure.message })}\n`);
    }
  }

  #tryRoute(request: RoutedRequest): Routed {
    try {
      return this.#route(request);
    } catch (error) {
      if (error instanceof EngineError) return { facts: noFacts, refusal: error };
      throw error;
    }
  }

  #route(request: RoutedRequest): Routed {
    refuseAmbiguous(request);
    const { version, search, match, malformed } = request.target;
    if (malformed) throw new EngineError('invalidArgument', 'MALFORMED_URL', 'malformed request URL');
    if (!match) throw new EngineError('notFound', 'NO_SUCH_ROUTE', 'page not found');
    const facts = { version: minorOf(version), params: match.params, query: new Query(search) };
    return { route: match.route, facts };
  }

  #fail(exchange: Exchange, request: RoutedRequest, error: unknown): void {
    const failure = this.#describe(request, error);
    if (exchange.answered) exchange.cut();
    else if (failure.status === 304) exchange.empty(304);
    else if (isTooOldForJson(request.target.version)) {
      exchange.text(failure.status, 'text/plain; charset=utf-8', `${failure.message}\n`);
    } else exchange.json(failure.status, { message: failure.message });
  }

  #describe(request: IncomingMessage, error: unknown): ReturnType<typeof describeFailure> {
    const failure = describeFailure(error);
    const fields = { method: request.method, url: request.url, status: failure.status, error };
    if (failure.unforeseen) {
      this.#logger.error('request failed unexpectedly', {
        ...fields,
        stack: error instanceof Error ? error.stack : '',
      });
    } else if (failure.status === 500) this.#logger.error('request failed', fields);
    else this.#logger.debug('request refused', fields);
    return failure;
  }
}

const noFacts: RequestFacts = { version: newestMinor, params: {}, query: new Query('') };

function notImplemented(route: Route): EngineError {
  return new EngineError('notImplemented', 'ROUTE_UNBUILT', `${route.method} ${route.path} is not implemented yet`);
}

/** Closes the connection behind this answer. */
function lastOf(socket: Socket, response: ServerResponse): void {
  if (response.writableFinished) socket.destroySoon();
  else response.once('finish', () => socket.destroySoon());
}

/** The path of a target in absolute form (`http://host/path`), which proxies send. */
function pathOfAbsolute(url: string): string {
  const authority = url.indexOf('://');
  const slash = authority < 0 ? -1 : url.indexOf('/', authority + 3);
  return slash < 0 ? '/' : url.slice(slash);
}

/** Clients from before API 1.24 print an error's body as it is. */
function isTooOldForJson(version: string | undefined): boolean {
  return version !== undefined && compareVersion(version, oldestMinor) < 0;
}

function minorOf(version: string | undefined): number {
  if (version === undefined) return newestMinor;
  if (compareVersion(version, oldestMinor) < 0) {
    throw new EngineError(
      'invalidArgument',
      'CLIENT_TOO_OLD',
      `client version ${version} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`,
    );
  }
  if (compareVersion(version, newestMinor) > 0) {
    throw new EngineError(
      'invalidArgument',
      'CLIENT_TOO_NEW',
      `client version ${version} is too new. Maximum supported API version is ${newestVersion}`,
    );
  }
  return Number(version.split('.')[1]);
}

/**
 * Refuses what an intermediary may read differently from us: several `Host` headers, transfer encodings other than
 * `chunked` (length and encoding together, and several lengths, the parser has refused already).
 */
function refuseAmbiguous(request: IncomingMessage): void {
  const encoding = request.headers['transfer-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') {
    throw new EngineError('notImplemented', 'TRANSFER_ENCODING', `unsupported transfer encoding: ${encoding}`);
  }
  let hosts = 0;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === 'host') hosts++;
  }
  if (hosts > 1) throw new EngineError('invalidArgument', 'TOO_MANY_HOSTS', 'too many Host headers');
}
