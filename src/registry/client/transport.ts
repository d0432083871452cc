import http, {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { EngineError } from '#errors';
import type { Connections, Route } from './connections.ts';
import {
  cancelled,
  connectionError,
  connectionFailureOf,
  registryFailure,
  requestText,
  timeoutError,
} from './failures.ts';
import type { RegistryLimits } from './limits.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestBody {
  readonly lengthBytes: number;
  /** Called once per attempt. */
  readonly open: () => AsyncIterable<Uint8Array>;
  readonly onProgress?: (sentBytes: number) => void;
}

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  readonly signal: AbortSignal;
  /** Whether the host must prove who it is. */
  readonly verify: boolean;
  readonly trustFor?: string | undefined;
}

/** An answer whose body has not been read. Whoever has it reads it to its end, or calls `discard`. */
export interface HttpResponse {
  readonly request: HttpRequest;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly message: IncomingMessage;
  /** Stops watching the caller's signal. */
  readonly release: () => void;
}

/** One value of a header that should not come twice. */
export function headerOf(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Sends single requests: no redirects, no credentials of its own, no repetition. */
export class Transport {
  readonly #connections: Connections;
  readonly #limits: RegistryLimits;
  readonly #userAgent: string;

  constructor(connections: Connections, limits: RegistryLimits, userAgent: string) {
    this.#connections = connections;
    this.#limits = limits;
    this.#userAgent = userAgent;
  }

  /** @throws {@link EngineError} unavailable with the words of Go's client; cancelled; whatever reading the body throws. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    if (request.signal.aborted) throw cancelled(request.signal);
    const route = this.#connections.route(request.url, request);
    const outgoing = this.#open(request, route);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const watch = new Watch(request, outgoing, this.#limits);
    outgoing.on('error', (error) => reject(watch.explain(error)));
    outgoing.on('response', resolve);
    outgoing.on('upgrade', (_response, socket: Socket) => {
      socket.destroy();
      reject(
        registryFailure(
          'unavailable',
          'REGISTRY_PROTOCOL',
          requestText(request.method, request.url, 'unexpected protocol switch'),
        ),
      );
    });
    let current: Pick<ClientRequest | IncomingMessage, 'destroy'> = outgoing;
    const stop = (): void => void current.destroy(cancelled(request.signal));
    request.signal.addEventListener('abort', stop, { once: true });
    const release = (): void => request.signal.removeEventListener('abort', stop);
    try {
      const sending = this.#writeBody(request, outgoing, watch, promise);
      sending.catch((error: unknown) => {
        reject(error);
        outgoing.destroy();
      });
      const message = await promise;
      current = message;
      message.once('close', () => {
        release();
        if (!outgoing.writableFinished) outgoing.destroy();
      });
      return { request, status: message.statusCode ?? 0, headers: message.headers, message, release };
    } catch (error) {
      release();
      outgoing.destroy();
      if (!wasStale(outgoing, request, error)) throw error;
    } finally {
      watch.end();
    }
    return await this.send(request);
  }

  #open(request: HttpRequest, route: Route): ClientRequest {
    const { url, body } = request;
    const length = body?.lengthBytes ?? (['POST', 'PUT', 'PATCH'].includes(request.method) ? 0 : undefined);
    const options: RequestOptions = {
      method: request.method,
      agent: route.agent,
      headers: {
        'User-Agent': this.#userAgent,
        'Accept-Encoding': 'identity',
        ...request.headers,
        ...route.headers,
        ...(length === undefined ? {} : { 'Content-Length': String(length) }),
      },
    };
    if (route.viaProxy !== undefined) {
      const bare = new URL(url);
      bare.username = '';
      bare.password = '';
      return (route.viaProxy.protocol === 'https:' ? https : http).request({
        ...options,
        host: route.viaProxy.hostname.replaceAll(/^\[|\]$/g, ''),
        ...(route.viaProxy.port === '' ? {} : { port: Number(route.viaProxy.port) }),
        path: bare.href,
        headers: { Host: url.host, ...(options.headers as Record<string, string>) },
      });
    }
    const target = { host: url.hostname.replaceAll(/^\[|\]$/g, ''), path: url.pathname + url.search };
    const port = url.port === '' ? {} : { port: Number(url.port) };
    const secure = url.protocol === 'https:';
    return (secure ? https : http).request({
      ...options,
      ...target,
      ...port,
      headers: { Host: url.host, ...(options.headers as Record<string, string>) },
    });
  }

  async #writeBody(
    request: HttpRequest,
    outgoing: ClientRequest,
    watch: Watch,
    answered: Promise<IncomingMessage>,
  ): Promise<void> {
    const { body } = request;
    if (body === undefined || body.lengthBytes === 0) {
      outgoing.end();
      watch.sent();
      return;
    }
    let isOver = false;
    answered.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    let sentBytes = 0;
    for await (const chunk of body.open()) {
      // An answer before the end is a refusal; the rest is of no interest to anybody.
      if (isOver) return;
      sentBytes += chunk.length;
      if (sentBytes > body.lengthBytes) break;
      if (!outgoing.write(chunk)) await Promise.race([drained(outgoing), answered.catch(() => undefined)]);
      watch.progress();
      body.onProgress?.(sentBytes);
    }
    if (isOver) return;
    if (sentBytes !== body.lengthBytes) {
      throw new EngineError(
        'dataLoss',
        'CONTENT_SIZE_MISMATCH',
        `content to upload is not ${body.lengthBytes} bytes long`,
      );
    }
    outgoing.end();
    watch.sent();
  }
}

/**
 * Whether the server closed a kept connection at the moment when it was used again. Says nothing about the server; connections that are new
 * are not judged so, so this ends with the last kept one.
 */
function wasStale(outgoing: ClientRequest, request: HttpRequest, error: unknown): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && outgoing.reusedSocket && connectionFailureOf(error) === 'reset' && !request.signal.aborted;
}

function drained(outgoing: ClientRequest): Promise<void> {
  if (outgoing.destroyed || !outgoing.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });
}

/** The clock of one request: connecting, sending and waiting for the headers have a limit each. */
class Watch {
  readonly #request: HttpRequest;
  readonly #outgoing: ClientRequest;
  readonly #limits: RegistryLimits;
  #timer: NodeJS.Timeout;
  #isOver: boolean;

  constructor(request: HttpRequest, outgoing: ClientRequest, limits: RegistryLimits) {
    this.#request = request;
    this.#outgoing = outgoing;
    this.#limits = limits;
    this.#isOver = false;
    this.#timer = this.#start(limits.connectMs, `dial tcp: ${request.url.host}: i/o timeout`);
    outgoing.once('socket', (socket) => this.#connecting(socket));
  }

  /** A piece of the body went out. */
  progress(): void {
    this.#restart(this.#limits.idleMs, 'write: i/o timeout');
  }

  /** The whole request went out, or will as soon as there is a connection. */
  sent(): void {
    if (this.#request.body === undefined && (this.#outgoing.socket === null || this.#outgoing.socket.connecting))
      return;
    this.#awaitHeaders();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  explain(error: Error): EngineError {
    if (error instanceof EngineError) {
      if (error.code !== 'PROXY_FAILED') return error;
      const text = requestText(this.#request.method, this.#request.url, error.message);
      return registryFailure('unavailable', 'PROXY_FAILED', text, {}, error);
    }
    return connectionError(this.#request.method, this.#request.url, error);
  }

  #connecting(socket: Socket): void {
    if (!socket.connecting) return this.#awaitHeaders();
    socket.once(this.#request.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => this.#awaitHeaders());
  }

  #awaitHeaders(): void {
    const isUpload = this.#request.body !== undefined || this.#request.method === 'PUT';
    const afterMs = isUpload ? this.#limits.uploadHeadersMs : this.#limits.headersMs;
    this.#restart(afterMs, 'net/http: timeout awaiting response headers');
  }

  #restart(afterMs: number, text: string): void {
    clearTimeout(this.#timer);
    // The body may still be on its way when the answer, or the end of the connection, is here.
    if (this.#isOver) return;
    this.#timer = this.#start(afterMs, text);
  }

  #start(afterMs: number, text: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.#outgoing.destroy(timeoutError(this.#request.method, this.#request.url, text));
    }, afterMs);
  }
}
