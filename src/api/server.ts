import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from '#lib';
import { Dispatcher } from './dispatcher.ts';
import { routedRequestClass, type RoutedRequest, wantsRaw } from './http/incoming.ts';
import { parseListenAddress } from './http/listen-address.ts';
import { listenOnUnixSocket } from './http/unix-socket.ts';
import { type ApiBackends, allRoutes } from './routes/table.ts';

/** As long as Docker gives a client to send a request's head. */
const headersTimeoutMs = 300_000;
/** Go's limit; registry credentials for many registries travel in one header, build arguments in the URL. */
const maxHeaderBytes = 1024 * 1024;
/** What requests get to finish in when the server closes. */
const defaultDrainMs = 10_000;

export interface ApiServerOptions {
  backends: ApiBackends;
  logger: Logger;
  /** Version in the `Server` header. */
  engineVersion: string;
  /** Group of unix sockets; must exist if given. Without it `docker` is used if there is one. */
  group?: string | undefined;
  /** Serve unencrypted TCP on addresses that others can reach. */
  allowInsecureTcp?: boolean | undefined;
}

/** The Engine API on any number of sockets. */
export interface ApiServer extends AsyncDisposable {
  /**
   * Listens on `unix:///path` or `tcp://host:port`.
   *
   * @returns the address, with the port chosen for port 0.
   * @throws {@link EngineError} invalidArgument, forbidden (TCP beyond loopback), alreadyExists (socket in use).
   */
  listen(address: string): Promise<string>;
  /** Takes no more requests, ends streams, waits for the requests under way for `drainMs`, then cuts the rest. Repeatable. */
  close(drainMs?: number): Promise<void>;
  /** Cuts everything now. Repeatable. */
  destroy(): Promise<void>;
}

class HttpApiServer implements ApiServer {
  readonly #options: ApiServerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #servers: Set<Server>;
  readonly #sockets: Set<Duplex>;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher(allRoutes(options.backends), options.logger, options.engineVersion);
    this.#servers = new Set();
    this.#sockets = new Set();
  }

  async listen(address: string): Promise<string> {
    const parsed = parseListenAddress(address, this.#options.allowInsecureTcp ?? false);
    const server = this.#newServer();
    this.#servers.add(server);
    if (parsed.kind === 'unix') {
      const group = { name: this.#options.group ?? 'docker', required: this.#options.group !== undefined };
      await listenOnUnixSocket(server, parsed.path, group);
      return address;
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: parsed.host, port: parsed.port }, resolve);
    });
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : parsed.port;
    return `tcp://${parsed.host.includes(':') ? `[${parsed.host}]` : parsed.host}:${port}`;
  }

  async close(drainMs: number = defaultDrainMs): Promise<void> {
    const closed = this.#stopListening();
    this.#cutIdle();
    await this.#dispatcher.drain(drainMs);
    this.#cut();
    await closed;
  }

  async destroy(): Promise<void> {
    const closed = this.#stopListening();
    this.#dispatcher.abort();
    this.#cut();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #stopListening(): Promise<void> {
    const closing = [...this.#servers].map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    await Promise.all(closing);
    this.#servers.clear();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Clients between two requests, which `close` need not wait for. */
  #cutIdle(): void {
    const busy = this.#dispatcher.busySockets();
    for (const socket of this.#sockets) if (!busy.has(socket)) socket.destroy();
  }

  #newServer(): Server {
    const server = createServer({
      IncomingMessage: routedRequestClass((method, url) => this.#dispatcher.find(method, url)),
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      // Uploads and streams take as long as they take, and idle clients keep their connections, as with Docker.
      requestTimeout: 0,
      keepAliveTimeout: 0,
      /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our class of requests, above */
      shouldUpgradeCallback: (request) => wantsRaw((request as RoutedRequest).target),
    });
    // A client that half-closes after its request still gets the answer.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on('connection', (socket: Socket) => this.#track(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our class of requests, above */
      void this.#dispatcher.serve(request as RoutedRequest, response);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our class of requests; servers have net sockets */
      void this.#dispatcher.serveRaw(request as RoutedRequest, socket as Socket, head);
    });
    server.on('clientError', refuseMalformed);
    return server;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** Answers what the parser refuses: bad syntax, contradicting or oversized headers, heads that take too long. */
function refuseMalformed(error: Error, socket: Duplex): void {
  if (!socket.writable || ('bytesWritten' in socket && socket.bytesWritten !== 0 && !isTimeout(error))) {
    socket.destroy();
    return;
  }
  const status = isTimeout(error)
    ? '408 Request Timeout'
    : 'code' in error && error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`);
}

function isTimeout(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
}

/**
 * Serves the Engine API for these backends. Routes without backend answer 501. The caller owns the server and closes it.
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  return new HttpApiServer(options);
}
