import { isBun, openBunConnection } from './bun-connection.ts';
import type { Connection } from './connection.ts';
import { type Endpoint, parseEndpoint, type TlsOptions } from './endpoint.ts';
import { ApiError, ConnectionError, ProtocolError } from './errors.ts';
import { HijackedStream } from './hijacked-stream.ts';
import { bodyFraming, encodeRequestHead, readHead, type ResponseHead } from './http.ts';
import { encodeQuery, type Query } from './query.ts';
import { ApiResponse } from './response.ts';

/** The newest API version this client knows. */
export const newestApiVersion = '1.51';
/** What a daemon that names no version is taken to speak. */
const oldestApiVersion = '1.24';

export interface ApiClientOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  readonly tls?: TlsOptions;
  /** Fixes the API version; else it is negotiated. */
  readonly apiVersion?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
}

export interface ApiRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version prefix. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it comes, chunked, while the answer may already arrive. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export type RequestExtras = Omit<ApiRequest, 'method' | 'path' | 'query'>;

/** What `_ping` tells. */
export interface PingInfo {
  readonly apiVersion: string;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

/**
 * A client of the Engine API on one host. It keeps one idle connection; `close` drops it.
 *
 * Versions: requests are sent under the newest version known; a daemon that is older says so at once and in full, and
 * the request is repeated under its own. So nothing is spent on asking first, except before uploads, which cannot be
 * repeated.
 */
export class ApiClient {
  readonly host: string;
  readonly #endpoint: Endpoint;
  readonly #tls: TlsOptions | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #userAgent: string;
  #version: string;
  #versionSettled: boolean;
  #idle: Connection | undefined;

  constructor(options: ApiClientOptions) {
    this.host = options.host;
    this.#endpoint = parseEndpoint(options.host);
    this.#tls = options.tls;
    this.#headers = options.headers ?? {};
    this.#userAgent = options.userAgent ?? 'Berth-Client (linux)';
    this.#version = options.apiVersion?.replace(/^v/, '') ?? newestApiVersion;
    this.#versionSettled = options.apiVersion !== undefined;
  }

  /** The version requests are sent under now; before the first answer, the newest known. */
  get apiVersion(): string {
    return this.#version;
  }

  /** The version both sides speak; asks the daemon if no answer told it yet. */
  async negotiate(signal?: AbortSignal): Promise<string> {
    if (!this.#versionSettled) await this.ping(signal);
    return this.#version;
  }

  /** `HEAD /_ping`. */
  async ping(signal?: AbortSignal): Promise<PingInfo> {
    const { response } = await this.#exchange({ method: 'HEAD', path: '/_ping', signal }, '/_ping');
    await response.discard();
    if (response.status >= 400) throw new ApiError(response.status, `ping failed with status ${response.status}`);
    const { headers } = response;
    this.#settleVersion(headers.get('api-version'));
    return {
      apiVersion: headers.get('api-version') ?? '',
      osType: headers.get('ostype') ?? '',
      experimental: headers.get('docker-experimental') === 'true',
      builderVersion: headers.get('builder-version') ?? '',
    };
  }

  /**
   * Sends a request and returns the answer once its head is there.
   *
   * The caller reads the body to its end or discards it.
   *
   * @throws {@link ApiError} for a status of 400 or above; {@link ConnectionError}.
   */
  async send(request: ApiRequest): Promise<ApiResponse> {
    const { response } = await this.#sendVersioned(request);
    if (response.status >= 400) throw await this.#errorFrom(request, response);
    return response;
  }

  /** `GET`, decoded. The daemon's answer is taken to have the shape asked for. */
  async get<T>(path: string, query?: Query, extras: RequestExtras = {}): Promise<T> {
    const response = await this.send({ ...extras, method: 'GET', path, ...(query ? { query } : {}) });
    return await response.json<T>();
  }

  /** `POST`, decoded; undefined when the answer has no body. */
  async post<T>(path: string, query?: Query, extras: RequestExtras = {}): Promise<T> {
    const response = await this.send({ ...extras, method: 'POST', path, ...(query ? { query } : {}) });
    return await response.json<T>();
  }

  /** `DELETE`, decoded; undefined when the answer has no body. */
  async delete<T>(path: string, query?: Query, extras: RequestExtras = {}): Promise<T> {
    const response = await this.send({ ...extras, method: 'DELETE', path, ...(query ? { query } : {}) });
    return await response.json<T>();
  }

  /**
   * Sends a request that turns its connection into a raw one (attach, exec start, session). The caller destroys it.
   *
   * @throws {@link ApiError} when the daemon refuses.
   */
  async hijack(request: ApiRequest): Promise<HijackedStream> {
    const upgrade = { connection: 'Upgrade', upgrade: 'tcp', ...request.headers };
    const { response, connection } = await this.#sendVersioned({ ...request, headers: upgrade }, true);
    if (response.status >= 400) throw await this.#errorFrom(request, response);
    const { NodeConnection } = await import('./node-connection.ts');
    if (!(connection instanceof NodeConnection)) throw new ProtocolError('the connection cannot be taken over');
    return new HijackedStream(connection, response.headers.get('content-type') ?? '');
  }

  /** Drops the idle connection. Running answers go on. */
  close(): void {
    this.#idle?.destroy();
    this.#idle = undefined;
  }

  async #sendVersioned(request: ApiRequest, raw = false): Promise<Exchange> {
    if (request.stream) await this.negotiate(request.signal ?? undefined);
    const tried = this.#version;
    const first = await this.#exchange(request, `/v${tried}${request.path}`, raw);
    const { status, headers } = first.response;
    // Another request may have settled it meanwhile, so the version tried is what counts.
    this.#settleVersion(headers.get('api-version'));
    if (status !== 400 || this.#version === tried) return first;
    await first.response.discard();
    return await this.#exchange(request, `/v${this.#version}${request.path}`, raw);
  }

  async #errorFrom(request: ApiRequest, response: ApiResponse): Promise<ApiError> {
    return await errorFrom(response, `${this.host}/v${this.#version}${request.path}`);
  }

  #settleVersion(daemonVersion: string | undefined): void {
    if (this.#versionSettled) return;
    const theirs = daemonVersion === undefined || daemonVersion === '' ? oldestApiVersion : daemonVersion;
    if (compareVersions(theirs, this.#version) < 0) this.#version = theirs;
    this.#versionSettled = true;
  }

  async #exchange(request: ApiRequest, path: string, raw = false): Promise<Exchange> {
    const reused = raw ? undefined : this.#takeIdle();
    if (reused && !request.stream) {
      try {
        return await this.#exchangeOn(reused, request, path, raw);
      } catch (error) {
        reused.destroy();
        request.signal?.throwIfAborted();
        if (request.method !== 'GET' && request.method !== 'HEAD') throw error;
      }
    }
    const connection =
      reused && request.stream
        ? reused
        : await this.#connect(request.signal ?? undefined, raw || request.stream !== undefined);
    try {
      return await this.#exchangeOn(connection, request, path, raw);
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async #exchangeOn(connection: Connection, request: ApiRequest, path: string, raw: boolean): Promise<Exchange> {
    const release = destroyOnAbort(connection, request.signal ?? undefined);
    try {
      const body = request.json === undefined ? undefined : Buffer.from(JSON.stringify(request.json));
      const head = encodeRequestHead(
        request.method,
        this.#target(path, request.query),
        this.#headersFor(request, body),
      );
      connection.send(body ? Buffer.concat([Buffer.from(head), body]) : head);
      const upload = request.stream ? sendChunked(connection, request.stream) : undefined;
      const answer = upload ? await headOrUploadFailure(connection, upload) : await readHead(connection);
      const response = new ApiResponse(answer, connection, bodyFraming(request.method, answer), (reusable) => {
        release();
        if (!raw || answer.status >= 400) this.#giveBack(connection, reusable && upload === undefined);
      });
      return { response, connection };
    } catch (error) {
      release();
      request.signal?.throwIfAborted();
      throw error;
    }
  }

  #headersFor(request: ApiRequest, body: Buffer | undefined): Iterable<readonly [string, string]> {
    const headers = new Map<string, string>([
      ['host', this.#endpoint.kind === 'tcp' ? `${this.#endpoint.host}:${this.#endpoint.port}` : 'api.moby.localhost'],
      ['user-agent', this.#userAgent],
    ]);
    for (const [name, value] of Object.entries(this.#headers)) headers.set(name.toLowerCase(), value);
    if (body) {
      headers.set('content-type', 'application/json');
      headers.set('content-length', String(body.length));
    } else if (request.stream) {
      headers.set('content-type', request.contentType ?? 'application/x-tar');
      headers.set('transfer-encoding', 'chunked');
    } else if (request.method === 'POST' || request.method === 'PUT') {
      headers.set('content-length', '0');
    }
    for (const [name, value] of Object.entries(request.headers ?? {})) headers.set(name.toLowerCase(), value);
    return headers;
  }

  #target(path: string, query: Query | undefined): string {
    const base = this.#endpoint.kind === 'tcp' ? this.#endpoint.basePath : '';
    return `${base}${path}${encodeQuery(query)}`;
  }

  #takeIdle(): Connection | undefined {
    const idle = this.#idle;
    this.#idle = undefined;
    idle?.keepAlive(true);
    return idle?.alive ? idle : undefined;
  }

  #giveBack(connection: Connection, reusable: boolean): void {
    if (!reusable || this.#idle || !connection.alive) return connection.destroy();
    connection.keepAlive(false);
    this.#idle = connection;
  }

  /** `bulk` connections are taken over, or sent much to; Bun's own sockets are for short exchanges only. */
  async #connect(signal: AbortSignal | undefined, bulk: boolean): Promise<Connection> {
    const endpoint = this.#endpoint;
    try {
      if (!bulk && endpoint.kind === 'unix' && isBun()) return await openBunConnection(endpoint.path);
      const { openNodeConnection } = await import('./node-connection.ts');
      return await openNodeConnection(endpoint, this.#tls, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw new ConnectionError(this.host, error);
    }
  }
}

interface Exchange {
  readonly response: ApiResponse;
  readonly connection: Connection;
}

async function errorFrom(response: ApiResponse, url: string): Promise<ApiError> {
  const text = (await response.text()).trim();
  const silent = `request returned ${response.status} for API route and version ${url}, check if the server supports the requested API version`;
  return new ApiError(response.status, messageFrom(text) ?? (text || silent));
}

function messageFrom(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) return String(parsed.message).trim();
  } catch {
    return undefined;
  }
  return undefined;
}

function destroyOnAbort(connection: Connection, signal: AbortSignal | undefined): () => void {
  if (!signal) return () => undefined;
  const abort = (): void => connection.destroy();
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

async function sendChunked(connection: Connection, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    connection.send(`${chunk.length.toString(16)}\r\n`);
    connection.send(chunk);
    await connection.write('\r\n');
  }
  await connection.write('0\r\n\r\n');
}

/** The head; or the upload's own failure (the source could not be read) when that comes first. */
async function headOrUploadFailure(connection: Connection, upload: Promise<void>): Promise<ResponseHead> {
  const failed = new Promise<never>((_resolve, reject) => {
    upload.catch((error: unknown) => {
      if (connection.alive) reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
  return await Promise.race([readHead(connection), failed]);
}

/** Negative when API version `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
