import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { EngineError, isKind, type ErrorKind } from '#errors';
import { within } from '../../helpers/until.ts';
import {
  bodyOf,
  clientFor,
  collect,
  content,
  digestOf,
  EMPTY_MANIFEST,
  fakeServer,
  never,
  registryOf,
  repositoryAt,
  sendError,
  sendManifest,
} from './fake-registry.ts';

function fails(kind: ErrorKind, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isKind(error, kind), `${error instanceof EngineError ? error.kind : ''} ${String(error)}`);
    assert.match(String(error), pattern);
    return true;
  };
}

/** Writes without end, as fast as it is read. */
function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

const other = digestOf(Buffer.from('other'));

void describe('a manifest', () => {
  void test('with other bytes than its digest is refused', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => sendManifest(response)),
    );
    await assert.rejects(
      repositoryAt(t, server.host).getManifest(other, { signal: never }),
      fails('dataLoss', /manifest verification failed/),
    );
  });

  void test('with other bytes than the digest the registry tells is refused', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        response.setHeader('Docker-Content-Digest', other);
        sendManifest(response);
      }),
    );
    await assert.rejects(
      repositoryAt(t, server.host).getManifest('1', { signal: never }),
      fails('dataLoss', /manifest verification failed/),
    );
  });

  void test('without end is cut off at the cap, told length or not', async (t) => {
    for (const length of [undefined, '5000000000']) {
      const server = await fakeServer(
        t,
        registryOf((_request, response) => {
          if (length !== undefined) response.setHeader('Content-Length', length);
          flood(response);
        }),
      );
      await assert.rejects(
        repositoryAt(t, server.host).getManifest('1', { signal: never }),
        fails('invalidArgument', /bigger than 4194304 bytes/),
      );
    }
  });

  void test('of schema 1 or of unknown type is named as such', async (t) => {
    const answers: readonly [object, RegExp][] = [
      [
        { schemaVersion: 1, fsLayers: [] },
        /schema 1 support has been removed\. Suggest the author of 127.*\/a\/b:1 to upgrade/,
      ],
      [{ schemaVersion: 2, mediaType: 'application/x-strange' }, /unsupported media type application\/x-strange/],
      [
        { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', layers: [] },
        /should not have "config", "layers"/,
      ],
      [[], /unsupported manifest format/],
    ];
    for (const [body, pattern] of answers) {
      const server = await fakeServer(
        t,
        registryOf((_request, response) => sendManifest(response, Buffer.from(JSON.stringify(body)))),
      );
      await assert.rejects(
        repositoryAt(t, server.host).getManifest('1', { signal: never }),
        fails('invalidArgument', pattern),
      );
    }
  });

  void test('that drips is given up', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        const timer = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(timer));
      }),
    );
    const repository = repositoryAt(t, server.host, { limits: { bodyMs: 100, attempts: 2 } });
    await assert.rejects(repository.getManifest('1', { signal: never }), fails('unavailable', /i\/o timeout/));
    assert.equal(server.calls().length, 2);
  });
});

void describe('a blob', () => {
  const bytes = content(300_000);
  const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };

  void test('of another size than expected is refused at once', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => void response.end(bytes.subarray(1))),
    );
    await assert.rejects(
      collect(repositoryAt(t, server.host).readBlob(blob, { signal: never })),
      fails('dataLoss', /expected 300000 bytes, the registry has 299999/),
    );
    assert.equal(server.calls().length, 1);
  });

  void test('without end is cut off at its size', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => flood(response)),
    );
    let got = 0;
    const reading = async (): Promise<void> => {
      for await (const chunk of repositoryAt(t, server.host).readBlob(blob, { signal: never })) got += chunk.length;
    };
    await assert.rejects(reading(), fails('dataLoss', /the registry sends more/));
    assert.ok(got <= blob.sizeBytes);
  });

  void test('that comes too slowly, or stops, is given up', async (t) => {
    for (const isDripping of [true, false]) {
      const server = await fakeServer(
        t,
        registryOf((_request, response) => {
          response.write('x');
          if (!isDripping) return;
          const timer = setInterval(() => response.write('x'), 5);
          response.on('close', () => clearInterval(timer));
        }),
      );
      const repository = repositoryAt(t, server.host, {
        limits: { idleMs: 60, attempts: 2, minimumBytesPerSecond: 5000 },
      });
      await assert.rejects(
        within(collect(repository.readBlob(blob, { signal: never })), 'the end'),
        fails('unavailable', /i\/o timeout/),
      );
    }
  });

  void test('broken off in the middle is read on from there, byte for byte', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((request, response) => {
        const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const end = bytes.length - 1;
        response.writeHead(start === 0 ? 200 : 206, {
          'Content-Length': bytes.length - start,
          ...(start === 0 ? {} : { 'Content-Range': `bytes ${start}-${end}/${bytes.length}` }),
        });
        const piece = bytes.subarray(start, start + 100_001);
        response.write(piece, () => {
          if (start + piece.length < bytes.length) response.destroy();
          else response.end();
        });
      }),
    );
    const retries: number[] = [];
    const onRetry = (attempt: number): void => void retries.push(attempt);
    const read = await collect(repositoryAt(t, server.host).readBlob(blob, { signal: never, onRetry }));
    assert.ok(read.equals(bytes));
    assert.deepEqual(retries, [1, 2]);
  });

  void test('is read whole where ranges are unknown, wrong or refused', async (t) => {
    const secondAnswers: Record<string, (response: ServerResponse, start: number) => boolean> = {
      ignored: () => false,
      'another range': (response) => {
        response.writeHead(206, { 'Content-Range': `bytes 0-99/${bytes.length}`, 'Content-Length': 100 });
        response.end(bytes.subarray(0, 100));
        return true;
      },
      'no range told': (response) => {
        response.writeHead(206, { 'Content-Length': 100 });
        response.end(bytes.subarray(0, 100));
        return true;
      },
      refused: (response) => {
        response.writeHead(416);
        response.end();
        return true;
      },
    };
    for (const [name, answer] of Object.entries(secondAnswers)) {
      let isFirst = true;
      const server = await fakeServer(
        t,
        registryOf((request, response) => {
          const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
          if (start > 0 && answer(response, start)) return;
          response.writeHead(200, { 'Content-Length': bytes.length });
          if (!isFirst) return void response.end(bytes);
          isFirst = false;
          response.write(bytes.subarray(0, 123_456), () => response.destroy());
        }),
      );
      const read = await collect(repositoryAt(t, server.host).readBlob(blob, { signal: never }));
      assert.ok(read.equals(bytes), name);
    }
  });

  void test('is not asked for without end when every connection breaks', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        response.writeHead(200, { 'Content-Length': bytes.length });
        response.write('x', () => response.destroy());
      }),
    );
    await assert.rejects(
      collect(repositoryAt(t, server.host, { downloadAttempts: 3 }).readBlob(blob, { signal: never })),
      fails('unavailable', /unexpected EOF|connection reset/),
    );
    assert.equal(server.calls().length, 3);
  });

  void test('nobody reads any more ends its connection, and cancelling says so', async (t) => {
    const closed = Promise.withResolvers<void>();
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        response.on('close', () => closed.resolve());
        flood(response);
      }),
    );
    const big = { digest: blob.digest, sizeBytes: 10 ** 12 };
    for await (const _chunk of repositoryAt(t, server.host).readBlob(big, { signal: never })) break;
    await within(closed.promise, 'the end of the connection');

    const controller = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const _chunk of repositoryAt(t, server.host).readBlob(big, { signal: controller.signal }))
        controller.abort();
    };
    await assert.rejects(within(reading(), 'cancellation'), fails('cancelled', /context canceled/));
  });

  void test('of any size takes little memory', async (t) => {
    const chunk = Buffer.alloc(1 << 20, 7);
    const sizeBytes = 400 * chunk.length;
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        response.writeHead(200, { 'Content-Length': sizeBytes });
        let left = 400;
        const more = (): void => {
          while (left > 0 && !response.destroyed) {
            left -= 1;
            if (!response.write(chunk)) return;
          }
          response.end();
        };
        response.on('drain', more);
        more();
      }),
    );
    let got = 0;
    let mostBytes = 0;
    const before = process.memoryUsage().rss;
    for await (const piece of repositoryAt(t, server.host).readBlob({ digest: other, sizeBytes }, { signal: never })) {
      got += piece.length;
      mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
    }
    assert.equal(got, sizeBytes);
    assert.ok(mostBytes < 150 * 1024 * 1024, `${mostBytes} bytes more`);
  });
});

void describe('redirects', () => {
  void test('carry no credentials to another host, nor back from there', async (t) => {
    const elsewhere = await fakeServer(t, (_request, response) => {
      response.writeHead(307, { Location: `http://${registry.host}/v2/back` });
      response.end();
    });
    const registry = await fakeServer(t, (request, response) => {
      if (request.url === '/v2/back') return sendManifest(response);
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' });
        return void response.end();
      }
      response.writeHead(307, { Location: `http://${elsewhere.host}/signed?X-Amz-Signature=s3cret` });
      response.end();
    });
    const repository = repositoryAt(t, registry.host, { credentials: { username: 'u', password: 'hunter2' } });
    await repository.getManifest('1', { signal: never });
    assert.equal(elsewhere.seen.length, 1);
    assert.equal(elsewhere.seen[0]?.headers.authorization, undefined);
    const back = registry.seen.find(({ url }) => url === '/v2/back');
    assert.equal(back?.headers.authorization, undefined);
    const asked = registry.seen.filter(({ url }) => url.endsWith('/manifests/1'));
    assert.ok(asked.some(({ headers }) => headers.authorization?.startsWith('Basic ')));
  });

  void test('in circles end', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((request, response) => {
        response.writeHead(302, { Location: request.url });
        response.end();
      }),
    );
    await assert.rejects(
      repositoryAt(t, server.host).getManifest('1', { signal: never }),
      fails('unavailable', /stopped after 10 redirects/),
    );
    assert.equal(server.calls().length, 11);
  });

  void test('to other protocols are refused, and failures there show no signature', async (t) => {
    const server = await fakeServer(
      t,
      registryOf((request, response) => {
        const isFile = request.url?.endsWith('/file') === true;
        response.writeHead(302, {
          Location: isFile ? 'file:///etc/passwd' : 'http://user:pa55@127.0.0.1:1/x?X-Amz-Signature=s3cret&digest=d',
        });
        response.end();
      }),
    );
    const repository = repositoryAt(t, server.host);
    await assert.rejects(
      repository.getManifest('file', { signal: never }),
      fails('unavailable', /neither http nor https/),
    );
    await assert.rejects(repository.getManifest('other', { signal: never }), (error: unknown) => {
      assert.match(
        String(error),
        /Get "http:\/\/127\.0\.0\.1:1\/x\?X-Amz-Signature=REDACTED&digest=d": dial tcp 127\.0\.0\.1:1: connect: connection refused/,
      );
      assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /s3cret|pa55/);
      return true;
    });
  });
});

void describe('failures', () => {
  void test('of the server are tried again, a fixed number of times', async (t) => {
    let left = 2;
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        if (left-- > 0) return sendError(response, 503, 'UNAVAILABLE', 'later');
        sendManifest(response);
      }),
    );
    const { digest } = await repositoryAt(t, server.host).getManifest('1', { signal: never });
    assert.equal(digest, digestOf(EMPTY_MANIFEST));
    left = 1000;
    await assert.rejects(
      repositoryAt(t, server.host).getManifest('1', { signal: never }),
      fails('unavailable', /received unexpected HTTP status: 503 Service Unavailable/),
    );
    assert.equal(server.calls().length, 3 + 5);
  });

  void test('by rate limits wait as told, or say what to do', async (t) => {
    let retryAfter = '1';
    let left = 1;
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        if (left-- <= 0) return sendManifest(response);
        response.setHeader('Retry-After', retryAfter);
        sendError(response, 429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.');
      }),
    );
    const started = performance.now();
    await repositoryAt(t, server.host).getManifest('1', { signal: never });
    assert.ok(performance.now() - started >= 990);
    retryAfter = '3600';
    left = 1;
    await assert.rejects(
      repositoryAt(t, server.host).getManifest('1', { signal: never }),
      fails('unavailable', /toomanyrequests: You have reached your pull rate limit\. \(try again in 3600 s, or log in/),
    );
    assert.equal(server.calls().length, 3);
  });

  void test('are waited for no longer than the caller wants', async (t) => {
    const asked = Promise.withResolvers<void>();
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        asked.resolve();
        sendError(response, 503, 'UNAVAILABLE', 'later');
      }),
    );
    const controller = new AbortController();
    const repository = repositoryAt(t, server.host, { limits: { firstDelayMs: 60_000, longestDelayMs: 60_000 } });
    const waiting = repository.getManifest('1', { signal: controller.signal });
    await asked.promise;
    controller.abort();
    await assert.rejects(within(waiting, 'cancellation'), fails('cancelled', /context canceled/));
  });

  void test("are told in the registry's words, cleaned, and not without end", async (t) => {
    const server = await fakeServer(
      t,
      registryOf((request, response) => {
        if (request.url?.endsWith('/evil') === true)
          return sendError(response, 403, 'DENIED', '\u001b[2Jgone\u0007\n\u202eback');
        if (request.url?.endsWith('/missing') === true)
          return sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
        response.writeHead(400, { 'Content-Type': 'text/html' });
        flood(response);
      }),
    );
    const repository = repositoryAt(t, server.host);
    await assert.rejects(
      repository.getManifest('evil', { signal: never }),
      fails('forbidden', /denied: \[2Jgone back$/),
    );
    await assert.rejects(
      repository.getManifest('missing', { signal: never }),
      fails('notFound', /EngineError: manifest unknown: manifest unknown$/),
    );
    await assert.rejects(
      repository.getManifest('flood', { signal: never }),
      (error: unknown) => String(error).length < 2000,
    );
  });

  void test('to answer at all are timeouts', async (t) => {
    const server = await fakeServer(
      t,
      registryOf(() => undefined),
    );
    const repository = repositoryAt(t, server.host, { limits: { headersMs: 50, attempts: 2 } });
    await assert.rejects(
      repository.getManifest('1', { signal: never }),
      fails('unavailable', /timeout awaiting response headers/),
    );
  });
});

void describe('a list of tags', () => {
  void test('is read page by page on the same host only', async (t) => {
    let link = '';
    const server = await fakeServer(
      t,
      registryOf((request, response) => {
        if (link !== '') response.setHeader('Link', `<${link}>; rel="next"`);
        if (request.url?.includes('last=b') === true) {
          response.removeHeader('Link');
          return void response.end('{"tags":["c"]}');
        }
        response.end('{"name":"a/b","tags":["a","b"]}');
      }),
    );
    link = '/v2/a/b/tags/list?last=b';
    assert.deepEqual(await repositoryAt(t, server.host).listTags({ signal: never }), ['a', 'b', 'c']);
    link = 'list';
    await assert.rejects(
      repositoryAt(t, server.host).listTags({ signal: never }),
      fails('unavailable', /lead in a circle/),
    );
    link = 'http://elsewhere.example.com/v2/a/b/tags/list';
    await assert.rejects(
      repositoryAt(t, server.host).listTags({ signal: never }),
      fails('unavailable', /lead to another host/),
    );
  });

  void test('without end is cut off', async (t) => {
    let count = 0;
    const server = await fakeServer(
      t,
      registryOf((_request, response) => {
        response.setHeader('Link', `</v2/a/b/tags/list?last=${count++}>; rel="next"`);
        response.end('{"tags":["x"]}');
      }),
    );
    const repository = repositoryAt(t, server.host, { limits: { tagPages: 20 } });
    await assert.rejects(repository.listTags({ signal: never }), fails('unavailable', /more than 20 pages/));
  });
});

void test('bodies of requests are whole even when content is read again', async (t) => {
  const bodies: Buffer[] = [];
  const server = await fakeServer(
    t,
    registryOf(async (request, response) => {
      bodies.push(await bodyOf(request));
      if (bodies.length === 1) return sendError(response, 502, 'UNKNOWN', 'x');
      response.writeHead(201);
      response.end();
    }),
  );
  const client = clientFor(t).repository({ domain: server.host, path: 'a/b' }, { credentials: {}, actions: 'push' });
  await client.putManifest(
    '1',
    { mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes: EMPTY_MANIFEST },
    { signal: never },
  );
  assert.deepEqual(bodies, [EMPTY_MANIFEST, EMPTY_MANIFEST]);
});
