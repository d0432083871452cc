import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Logger } from '#lib';
import type { ApiBackends } from '../routes/table.ts';
import { type ApiServer, createApiServer } from '../server.ts';

/** An answer read whole. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** A server for one test, on a unix socket of its own. */
export interface TestServer extends AsyncDisposable {
  readonly api: ApiServer;
  readonly path: string;
  /** Lines of its log from `warn` up. */
  readonly log: readonly string[];
  ask(method: string, url: string, options?: { body?: unknown; headers?: Record<string, string> }): Promise<Answer>;
  /** A bare connection that collects what it receives. */
  dial(): Promise<RawClient>;
}

/** One end of a bare connection. */
export class RawClient {
  readonly socket: Socket;
  ended: boolean;
  #chunks: Buffer[];
  #check: () => void;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#chunks = [];
    this.ended = false;
    this.#check = () => undefined;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#check();
    });
    for (const event of ['end', 'close', 'error']) {
      socket.on(event, () => {
        this.ended = true;
        this.#check();
      });
    }
  }

  /** Everything received so far; setting it forgets. */
  get received(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  set received(bytes: Buffer) {
    this.#chunks = [bytes];
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  /** Resolves when what was received satisfies `condition`. @throws when the connection ends before. */
  until(condition: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#check = () => {
        if (condition(this.text)) resolve(this.text);
        else if (this.ended) reject(new Error(`connection ended after ${JSON.stringify(this.text)}`));
      };
      this.#check();
    });
  }

  /** Everything received until the server ended the connection. */
  async untilEnd(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (this.ended) resolve();
      };
      this.#check();
    });
    return this.text;
  }

  /** What came behind the answer's head. */
  get body(): Buffer {
    const end = this.received.indexOf('\r\n\r\n');
    return end < 0 ? Buffer.alloc(0) : this.received.subarray(end + 4);
  }
}

function read(
  path: string,
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const type = payload === undefined ? {} : { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, method, path: url, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    asked.on('error', reject);
    asked.end(payload);
  });
}

/** Serves these backends until disposed. */
export async function serve(backends: ApiBackends): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'api-test-'));
  const path = join(folder, 'api.sock');
  const log: string[] = [];
  const logger: Logger = createLogger('warn', (line) => void log.push(line));
  const api = createApiServer({ backends, logger, engineVersion: '0.0.0' });
  await api.listen(`unix://${path}`);
  return {
    api,
    path,
    log,
    ask: (method, url, options = {}) => read(path, method, url, options.body, options.headers ?? {}),
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ path, allowHalfOpen: true }, () => resolve(new RawClient(socket)));
        socket.once('error', reject);
      }),
    async [Symbol.asyncDispose]() {
      await api.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A backend of which a test gives the calls it expects; any other call is an error of the test. */
export function fake<B extends object>(calls: Partial<B>): B {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy answers for whatever is missing */
  return new Proxy(calls, {
    get(target, name) {
      /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key of some backend */
      const call = target[name as keyof B];
      if (call === undefined) throw new Error(`unexpected call of ${String(name)}`);
      return call;
    },
  }) as B;
}
