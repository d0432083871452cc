import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { isKind } from '#errors';
import type { RegistryLimits } from '#registry';
import {
  bodyOf,
  content,
  digestOf,
  fakeServer,
  never,
  registryOf,
  repositoryAt,
  type FakeServer,
} from './fake-registry.ts';

interface Uploads {
  readonly server: FakeServer;
  /** What came, by upload. */
  readonly received: Buffer[];
  readonly finished: Set<string>;
}

interface Behaviour {
  /** Takes over a request. @returns whether it did. */
  readonly intercept?: (
    request: IncomingMessage,
    response: ServerResponse,
    uploads: Uploads,
  ) => boolean | Promise<boolean>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A registry that takes uploads as the distribution-spec says, with addresses that are relative and carry a state. */
async function uploadServer(t: TestContext, { intercept, headers = {} }: Behaviour = {}): Promise<Uploads> {
  const received: Buffer[] = [];
  const finished = new Set<string>();
  const server = await fakeServer(
    t,
    registryOf(async (request, response) => {
      if (intercept && (await intercept(request, response, uploads))) return;
      const url = new URL(request.url ?? '', 'http://x');
      const id = Number(url.searchParams.get('id'));
      const digest = url.searchParams.get('digest') ?? url.pathname.split('/').at(-1) ?? '';
      if (request.method === 'HEAD') return void response.writeHead(finished.has(digest) ? 200 : 404).end();
      if (request.method === 'POST') {
        received.push(Buffer.alloc(0));
        return begin(response, received.length - 1, 202, headers);
      }
      const before = received[id] ?? Buffer.alloc(0);
      if (request.method === 'GET') return begin(response, id, 204, { Range: `0-${Math.max(0, before.length - 1)}` });
      const body = await bodyOf(request);
      const whole = Buffer.concat([before, body]);
      received[id] = whole;
      if (request.method === 'PATCH') return begin(response, id, 202, { Range: `0-${whole.length - 1}` });
      if (digestOf(whole) !== digest) return void response.writeHead(400).end();
      finished.add(digest);
      response.writeHead(201, { 'Docker-Content-Digest': digest }).end();
    }),
  );
  const uploads: Uploads = { server, received, finished };
  return uploads;
}

function begin(response: ServerResponse, id: number, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, { Location: `/v2/a/b/blobs/uploads/x?id=${id}&_state=s%2F`, ...headers }).end();
}

const bytes = content(400_000);
const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };

async function* open(offsetBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = offsetBytes; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

async function push(t: TestContext, { server }: Uploads, limits: Partial<RegistryLimits> = {}): Promise<string> {
  const repository = repositoryAt(t, server.host, { actions: 'push', limits: { monolithicBytes: 1000, ...limits } });
  return await repository.pushBlob(blob, { open, mountFrom: [], signal: never });
}

function methods({ server }: Uploads): string[] {
  return server.calls().map((call) => call.split(' ')[0] ?? '');
}

void describe('pushBlob', () => {
  void test('sends small blobs in one request and others as a stream', async (t) => {
    const small = await uploadServer(t);
    assert.equal(await push(t, small, { monolithicBytes: 1 << 20 }), 'uploaded');
    assert.deepEqual(methods(small), ['HEAD', 'POST', 'PUT']);
    const big = await uploadServer(t);
    assert.equal(await push(t, big), 'uploaded');
    assert.deepEqual(methods(big), ['HEAD', 'POST', 'PATCH', 'PUT']);
    assert.ok(big.finished.has(blob.digest));
    assert.equal(await push(t, big), 'existed');
  });

  void test('goes on after a break where the registry stands', async (t) => {
    let isBroken = false;
    const uploads = await uploadServer(t, {
      intercept: async (request, _response, { received }) => {
        if (request.method !== 'PATCH' || isBroken) return false;
        isBroken = true;
        const got: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) {
          got.push(chunk);
          if (Buffer.concat(got).length > 100_000) break;
        }
        received[0] = Buffer.concat(got);
        request.socket.destroy();
        return true;
      },
    });
    assert.equal(await push(t, uploads), 'uploaded');
    assert.deepEqual(methods(uploads), ['HEAD', 'POST', 'PATCH', 'HEAD', 'GET', 'PATCH', 'PUT']);
    const resumed = uploads.server.seen.filter(({ method }) => method === 'PATCH')[1];
    assert.match(resumed?.headers['content-range'] ?? '', /^[1-9]\d{5}-399999$/);
    assert.equal(uploads.received.length, 1);
  });

  void test('starts over when nothing is told to have arrived: some of it may yet be added', async (t) => {
    let late: Buffer | undefined;
    const uploads = await uploadServer(t, {
      intercept: async (request, response, { received }) => {
        if (request.method === 'PATCH' && late === undefined) {
          for await (const chunk of request as AsyncIterable<Buffer>) {
            late = chunk;
            break;
          }
          request.socket.destroy();
          return true;
        }
        if (request.method !== 'GET' || !late) return false;
        begin(response, 0, 204, { Range: '0-0' });
        received[0] = late;
        return true;
      },
    });
    assert.equal(await push(t, uploads), 'uploaded');
    assert.equal(uploads.received.length, 2);
  });

  void test('starts over when the upload is gone', async (t) => {
    let isGone = false;
    const uploads = await uploadServer(t, {
      intercept: (request, response) => {
        if (isGone ? request.url?.includes('id=0') !== true : request.method !== 'PATCH') return false;
        isGone = true;
        request.resume();
        response.writeHead(404).end();
        return true;
      },
    });
    assert.equal(await push(t, uploads), 'uploaded');
    assert.equal(uploads.received.length, 2);
  });

  void test('sends pieces where requests are bounded, and no smaller ones than the registry wants', async (t) => {
    const bounded = await uploadServer(t, {
      intercept: (request, response) => {
        if (request.method !== 'PATCH' || Number(request.headers['content-length']) <= 150_000) return false;
        request.resume();
        response.writeHead(413).end();
        return true;
      },
    });
    assert.equal(await push(t, bounded, { chunkBytes: 150_000, smallestChunkBytes: 1000 }), 'uploaded');
    const ranges = bounded.server.seen.flatMap(({ headers }) => headers['content-range'] ?? []);
    assert.deepEqual(ranges, ['0-149999', '150000-299999', '300000-399999']);
    const wanting = await uploadServer(t, {
      headers: { 'OCI-Chunk-Min-Length': '300000' },
      intercept: (request, response) => {
        if (request.method !== 'PATCH' || Number(request.headers['content-length']) <= 300_000) return false;
        request.resume();
        response.writeHead(413).end();
        return true;
      },
    });
    assert.equal(await push(t, wanting, { chunkBytes: 100_000, smallestChunkBytes: 1000 }), 'uploaded');
    assert.deepEqual(
      wanting.server.seen.flatMap(({ headers }) => headers['content-range'] ?? []),
      ['0-299999', '300000-399999'],
    );
  });

  void test('uses the upload that a registry begins instead of mounting, and drops the others', async (t) => {
    const uploads = await uploadServer(t);
    const repository = repositoryAt(t, uploads.server.host, { actions: 'push' });
    const pushed = await repository.pushBlob(blob, { open, mountFrom: ['c/d', 'a/b', 'e/f'], signal: never });
    assert.equal(pushed, 'uploaded');
    assert.deepEqual(methods(uploads), ['HEAD', 'POST', 'POST', 'DELETE', 'PUT']);
    assert.match(uploads.server.calls()[1] ?? '', /\?mount=sha256:[0-9a-f]{64}&from=c%2Fd$/);
  });

  void test('tells that content is shorter than said, and that it cannot be read', async (t) => {
    const uploads = await uploadServer(t);
    const repository = repositoryAt(t, uploads.server.host, { actions: 'push' });
    const wrong = { ...blob, sizeBytes: blob.sizeBytes + 1 };
    await assert.rejects(repository.pushBlob(wrong, { open, mountFrom: [], signal: never }), (error: unknown) =>
      isKind(error, 'dataLoss'),
    );
    const unreadable = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 10);
      throw new Error('the disk is gone');
    };
    await assert.rejects(
      repository.pushBlob(blob, { open: unreadable, mountFrom: [], signal: never }),
      /the disk is gone/,
    );
  });

  void test('carries no credentials to an upload on another host', async (t) => {
    const elsewhere = await fakeServer(t, async (request, response) => {
      await bodyOf(request);
      response.writeHead(201).end();
    });
    const server = await fakeServer(t, (request, response) => {
      if (request.headers.authorization === undefined) {
        return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
      }
      if (request.method === 'HEAD') return void response.writeHead(404).end();
      response.writeHead(202, { Location: `http://${elsewhere.host}/up` }).end();
    });
    const repository = repositoryAt(t, server.host, { actions: 'push', credentials: { username: 'u', password: 'p' } });
    assert.equal(await repository.pushBlob(blob, { open, mountFrom: [], signal: never }), 'uploaded');
    assert.equal(elsewhere.seen[0]?.headers.authorization, undefined);
    assert.equal(elsewhere.seen[0]?.method, 'PUT');
  });
});
