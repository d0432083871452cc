import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import {
  createRegistryClient,
  REGISTRY_LIMITS,
  type RegistryClient,
  type RegistryClientOptions,
  type RegistryCredentials,
  type RegistryLimits,
  type RemoteRepository,
} from '#registry';
import { type Digest, parseDigest } from '#spec';

/** A request as it came. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface FakeServer {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  readonly port: number;
  readonly seen: Seen[];
  /** `GET /v2/…` of everything seen, `/v2/` itself left out. */
  readonly calls: () => string[];
}

/** A server in this process that does what the test says, on all addresses of this machine, gone with the test. */
export async function fakeServer(t: TestContext, handler: Handler, tls?: https.ServerOptions): Promise<FakeServer> {
  const seen: Seen[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    void Promise.resolve(handler(request, response)).catch(() => response.destroy());
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const calls = (): string[] => seen.filter(({ url }) => url !== '/v2/').map(({ method, url }) => `${method} ${url}`);
  return { host: `127.0.0.1:${port}`, port, seen, calls };
}

/** Answers `/v2/` and hands everything else on. */
export function registryOf(handler: Handler): Handler {
  return (request, response) => {
    if (request.url === '/v2/') {
      response.end('{}');
      return;
    }
    return handler(request, response);
  };
}

/** As usual, but quick: nothing takes longer than a moment here unless it hangs. */
export const quick: RegistryLimits = {
  ...REGISTRY_LIMITS,
  firstDelayMs: 1,
  longestDelayMs: 2,
  longestRetryAfterMs: 1500,
};

export interface ClientSetup extends Partial<RegistryClientOptions> {
  readonly limits?: Partial<RegistryLimits>;
}

export function clientFor(t: TestContext, setup: ClientSetup = {}): RegistryClient {
  const { limits, ...options } = setup;
  const client = createRegistryClient(
    {
      userAgent: 'berth-test/1',
      insecureRegistries: [],
      mirrors: {},
      certificateDirectories: [],
      proxies: {},
      ...options,
    },
    { ...quick, ...limits },
  );
  t.after(() => client[Symbol.dispose]());
  return client;
}

export const never: AbortSignal = new AbortController().signal;

export interface RepositorySetup extends ClientSetup {
  readonly credentials?: RegistryCredentials;
  readonly actions?: 'pull' | 'push';
}

/** The repository `a/b` of a server. */
export function repositoryAt(t: TestContext, domain: string, setup: RepositorySetup = {}): RemoteRepository {
  const { credentials = {}, actions = 'pull', ...rest } = setup;
  return clientFor(t, rest).repository({ domain, path: 'a/b' }, { credentials, actions });
}

export function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

/** Bytes that differ everywhere, so that what is skipped or doubled shows. */
export function content(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index + 4 <= sizeBytes; index += 4) bytes.writeUInt32LE(index, index);
  return bytes;
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return await collect(request);
}

export const EMPTY_MANIFEST: Buffer = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [],
  }),
);

/** Answers with a manifest as registries do. */
export function sendManifest(response: ServerResponse, bytes: Uint8Array = EMPTY_MANIFEST): void {
  response.setHeader('Content-Type', 'application/vnd.oci.image.manifest.v1+json');
  response.end(bytes);
}

/** Answers with an error of the distribution-spec. */
export function sendError(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
