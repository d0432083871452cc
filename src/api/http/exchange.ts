import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '#errors';
import { type BodySource, bodyTooLarge } from './body.ts';
import { BodyWriter } from './body-writer.ts';
import type { Query } from './query.ts';
import { RequestBody } from './request-body.ts';

/** What routing found out about a request. */
export interface RequestFacts {
  /** API version the client speaks, as the number after `1.`. */
  version: number;
  params: Readonly<Record<string, string>>;
  query: Query;
}

/** An ordinary request and its answer. A route calls exactly one of the answering methods. */
export class Exchange implements BodySource {
  readonly version: number;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #baseHeaders: readonly string[];
  readonly #shutdown: AbortSignal;
  #controller: AbortController | undefined;
  #body: RequestBody | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    facts: RequestFacts,
    server: { baseHeaders: readonly string[]; shutdown: AbortSignal },
  ) {
    this.version = facts.version;
    this.params = facts.params;
    this.query = facts.query;
    this.#request = request;
    this.#response = response;
    this.#baseHeaders = server.baseHeaders;
    this.#shutdown = server.shutdown;
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  /** The body as it arrives. Whoever stops reading early may destroy it. */
  get body(): Readable {
    return (this.#body ??= new RequestBody(this.#request));
  }

  /** Whether the head of the answer has gone out, so that failures cannot become statuses any more. */
  get answered(): boolean {
    return this.#response.headersSent;
  }

  /** Aborts when the client goes away or the server shuts down. Only requests that may take long should ask for it. */
  get signal(): AbortSignal {
    this.#controller ??= this.#watch();
    return this.#controller.signal;
  }

  async readBody(limitBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.body) {
      if (!Buffer.isBuffer(chunk)) continue;
      size += chunk.length;
      if (size > limitBytes) throw bodyTooLarge(limitBytes);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  json(status: number, value: unknown): void {
    this.text(status, 'application/json', `${JSON.stringify(value)}\n`);
  }

  text(status: number, type: string, text: string, extraHeaders: readonly string[] = []): void {
    const length = String(Buffer.byteLength(text));
    this.#head(status, ['Content-Type', type, 'Content-Length', length, ...extraHeaders]);
    this.#response.end(text);
  }

  /** An answer without body. */
  empty(status: number, extraHeaders: readonly string[] = []): void {
    const bodyless = status === 204 || status === 304;
    this.#head(status, bodyless ? extraHeaders : ['Content-Length', '0', ...extraHeaders]);
    this.#response.end();
  }

  /** Sends the head now; the body is written bit by bit. */
  stream(type: string): BodyWriter {
    this.#head(200, ['Content-Type', type]);
    this.#response.flushHeaders();
    return new BodyWriter(this.#response);
  }

  /** Sends `source` as the body. @throws when the source fails or the client goes. */
  async pipe(type: string, source: Readable, extraHeaders: readonly string[] = []): Promise<void> {
    this.#head(200, ['Content-Type', type, ...extraHeaders]);
    await pipeline(source, this.#response, { signal: this.signal });
  }

  /** Cuts the connection: the only way to tell the client that a body begun is not whole. */
  cut(): void {
    this.#response.destroy();
  }

  #head(status: number, headers: readonly string[]): void {
    if (this.#response.headersSent) throw new EngineError('internal', 'ANSWERED_TWICE', 'request answered twice');
    this.#response.writeHead(status, [...this.#baseHeaders, ...headers]);
  }

  #watch(): AbortController {
    const controller = new AbortController();
    const gone = (): void => controller.abort(new EngineError('cancelled', 'CLIENT_GONE', 'client disconnected'));
    const stop = (): void => controller.abort(new EngineError('cancelled', 'SHUTDOWN', 'engine is shutting down'));
    const { socket } = this.#request;
    if (this.#response.destroyed || socket.destroyed) gone();
    if (this.#shutdown.aborted) stop();
    this.#shutdown.addEventListener('abort', stop);
    // The client's FIN says that nobody waits any more, though its socket can still be written (as Go's server does).
    socket.on('end', gone);
    this.#response.on('close', () => {
      socket.off('end', gone);
      this.#shutdown.removeEventListener('abort', stop);
      if (!this.#response.writableFinished) gone();
    });
    return controller;
  }
}
