import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { EngineError } from '#errors';
import type { AttachStreams } from '../routes/containers/backend.ts';
import type { BodySource } from './body.ts';
import type { RequestFacts } from './exchange.ts';
import type { Query } from './query.ts';
import { readRawBody } from './raw-body.ts';
import { SocketInput, SocketOutput } from './socket-streams.ts';

/** How long a client may take to close its end after we closed ours. */
const lingerMs = 5000;
/**
 * How often a client is looked at whose going away reading would not tell, because it half-closed or because nobody takes
 * what it sends: a unix socket whose other end is gone refuses even an empty write.
 */
const probeMs = 500;

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** Which streams a client wants. */
export interface RawStreams {
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/**
 * A request whose connection was taken from the HTTP parser right behind the head, for the routes that turn it into a
 * two-way byte stream. The connection serves no further request.
 */
export class RawExchange implements BodySource {
  readonly version: number;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly #baseHeaders: readonly string[];
  readonly #controller: AbortController;
  readonly #outputs: SocketOutput[];
  #begun: boolean;

  /** @param head - Bytes that arrived right behind the request's head. */
  constructor(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    facts: RequestFacts,
    server: { baseHeaders: readonly string[]; shutdown: AbortSignal },
  ) {
    this.version = facts.version;
    this.params = facts.params;
    this.query = facts.query;
    this.request = request;
    this.socket = socket;
    this.#baseHeaders = server.baseHeaders;
    this.#controller = new AbortController();
    this.#outputs = [];
    this.#begun = false;
    if (head.length > 0) socket.unshift(head);
    this.#watch(server.shutdown);
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** Aborts when the connection is closed (a half-close is not) or the server shuts down. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether an answer has begun, so that failures cannot become statuses any more. */
  get answered(): boolean {
    return this.#begun;
  }

  readBody(limitBytes: number): Promise<Buffer> {
    if (/^100-continue$/i.test(this.headers.expect ?? '')) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    return readRawBody(this.socket, this.headers, limitBytes);
  }

  /**
   * Reads over a body of announced length that the route has no use for, so that it is not taken for stdin. A chunked one
   * is what some clients send stdin in, and stays, as with Docker.
   */
  async skipBody(limitBytes: number): Promise<void> {
    if (this.headers['content-length'] !== undefined) await this.readBody(limitBytes);
  }

  /**
   * Answers 101 to a client that asked for an upgrade and 200 otherwise, and hands out the client's streams. Outputs of a
   * process without terminal share the connection in frames.
   */
  begin(streams: RawStreams): AttachStreams {
    const upgrade = this.headers.upgrade !== undefined;
    // The frames have had a name of their own since API 1.42.
    const framed = !streams.tty && upgrade && this.version >= 42;
    const type = framed ? 'application/vnd.docker.multiplexed-stream' : 'application/vnd.docker.raw-stream';
    this.#writeHead(
      upgrade ? '101 UPGRADED' : '200 OK',
      upgrade
        ? ['Content-Type', type, 'Connection', 'Upgrade', 'Upgrade', 'tcp']
        : ['Content-Type', type, 'Connection', 'close'],
    );
    const input = new SocketInput(this.socket);
    if (!streams.stdin) input.destroy();
    return {
      stdin: streams.stdin ? input : undefined,
      stdout: streams.stdout ? this.#output(streams.tty ? undefined : 'stdout') : undefined,
      stderr: streams.stderr && !streams.tty ? this.#output('stderr') : undefined,
      signal: this.signal,
    };
  }

  /** An ordinary answer instead of the streams. */
  reply(status: number, type: string, body: string): void {
    const length = String(Buffer.byteLength(body));
    this.#writeHead(`${status} ${reasons[status] ?? 'Error'}`, [
      'Content-Type',
      type,
      'Content-Length',
      length,
      'Connection',
      'close',
    ]);
    if (this.request.method !== 'HEAD') this.socket.write(body);
    this.#linger();
  }

  /** Sends everything written and closes our end; waits until the client has closed too, but not for long. */
  async finish(): Promise<void> {
    for (const output of this.#outputs) if (!output.destroyed) output.end();
    await Promise.allSettled(this.#outputs.map((output) => finished(output)));
    this.#linger();
  }

  #output(stream: 'stdout' | 'stderr' | undefined): SocketOutput {
    const output = new SocketOutput(this.socket, stream);
    // A client that leaves is told by the signal; nobody need listen on every stream.
    output.on('error', () => undefined);
    this.#outputs.push(output);
    return output;
  }

  #writeHead(status: string, headers: readonly string[]): void {
    if (this.#begun) throw new EngineError('internal', 'ANSWERED_TWICE', 'request answered twice');
    this.#begun = true;
    const all = [...headers, ...this.#baseHeaders];
    let text = `HTTP/1.1 ${status}\r\n`;
    for (let index = 0; index < all.length; index += 2) text += `${all[index]}: ${all[index + 1]}\r\n`;
    this.socket.write(`${text}\r\n`);
  }

  #linger(): void {
    if (this.socket.destroyed) return;
    this.socket.resume();
    this.socket.end(() => {
      const timer = setTimeout(() => this.socket.destroy(), lingerMs);
      timer.unref();
      this.socket.once('close', () => clearTimeout(timer));
    });
  }

  #watch(shutdown: AbortSignal): void {
    const stop = (): void =>
      this.#controller.abort(new EngineError('cancelled', 'SHUTDOWN', 'engine is shutting down'));
    if (shutdown.aborted) stop();
    shutdown.addEventListener('abort', stop);
    const probe = setInterval(() => this.#probe(), probeMs);
    probe.unref();
    this.socket.on('error', () => undefined);
    this.socket.once('close', () => {
      clearInterval(probe);
      shutdown.removeEventListener('abort', stop);
      this.#controller.abort(new EngineError('cancelled', 'CLIENT_GONE', 'client disconnected'));
    });
  }
  #probe(): void {
    const { socket } = this;
    if (!socket.readableEnded && !socket.isPaused()) return;
    if (!socket.writableEnded && socket.writableLength === 0) socket.write('');
  }
}
