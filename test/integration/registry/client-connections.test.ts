import assert from 'node:assert/strict';
import http from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'node:test';
import { isKind } from '#errors';
import { Authority, certificateDirectory } from './certificates.ts';
import {
  clientFor,
  collect,
  content,
  digestOf,
  fakeServer,
  never,
  registryOf,
  repositoryAt,
  sendError,
  sendManifest,
} from './fake-registry.ts';

const manifests = registryOf((_request, response) => sendManifest(response));

/** The address of this machine that is not on the loopback as far as names go, so that nothing is taken for insecure. */
const strictHost = (port: number): string => `0.0.0.0:${port}`;

function unreachable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isKind(error, 'unavailable'), String(error));
    assert.match(String(error), pattern);
    return true;
  };
}

void describe('TLS', () => {
  void test("wants a certificate of a known authority, or of that in the host's folder", async (t) => {
    const authority = new Authority(t);
    const { cert, key } = authority.issue('server', ['IP:0.0.0.0']);
    const server = await fakeServer(t, manifests, { cert, key });
    const host = strictHost(server.port);
    await assert.rejects(
      repositoryAt(t, host).getManifest('1', { signal: never }),
      unreachable(
        /Get "https:\/\/0\.0\.0\.0:\d+\/v2\/": tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
      ),
    );
    assert.equal(server.seen.length, 0);
    const directory = certificateDirectory(t, host, { 'ca.crt': authority.certificate });
    await repositoryAt(t, host, { certificateDirectories: ['/nonexistent', directory] }).getManifest('1', {
      signal: never,
    });
    await repositoryAt(t, host, { insecureRegistries: [host] }).getManifest('1', { signal: never });
    await repositoryAt(t, host, { insecureRegistries: ['0.0.0.0/32'] }).getManifest('1', { signal: never });
  });

  void test('refuses a certificate for another name', async (t) => {
    const authority = new Authority(t);
    const { cert, key } = authority.issue('server', ['DNS:other.example.com']);
    const server = await fakeServer(t, manifests, { cert, key });
    const host = strictHost(server.port);
    const certificateDirectories = [certificateDirectory(t, host, { 'my.crt': authority.certificate })];
    await assert.rejects(
      repositoryAt(t, host, { certificateDirectories }).getManifest('1', { signal: never }),
      unreachable(/failed to verify certificate: x509: /),
    );
  });

  void test("shows the client certificate of the host's folder, and wants its key", async (t) => {
    const authority = new Authority(t);
    const { cert, key } = authority.issue('server', ['IP:0.0.0.0']);
    const own = authority.issue('client', ['DNS:client']);
    const server = await fakeServer(t, manifests, {
      cert,
      key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const host = strictHost(server.port);
    const files = { 'ca.crt': authority.certificate, 'client.cert': own.cert };
    const complete = [certificateDirectory(t, host, { ...files, 'client.key': own.key })];
    await repositoryAt(t, host, { certificateDirectories: complete }).getManifest('1', { signal: never });
    const keyless = [certificateDirectory(t, host, files)];
    await assert.rejects(
      repositoryAt(t, host, { certificateDirectories: keyless }).getManifest('1', { signal: never }),
      /missing key client\.key for client certificate client\.cert/,
    );
  });
});

void describe('plain http', () => {
  void test('is spoken to nobody but the loopback and who is listed', async (t) => {
    const server = await fakeServer(t, manifests);
    const host = strictHost(server.port);
    await assert.rejects(
      repositoryAt(t, host).getManifest('1', { signal: never }),
      unreachable(/Get "https:\/\/0\.0\.0\.0:\d+\/v2\/": http: server gave HTTP response to HTTPS client$/),
    );
    assert.equal(server.seen.length, 0);
    await repositoryAt(t, host, { insecureRegistries: [host] }).getManifest('1', { signal: never });
    await repositoryAt(t, `localhost:${server.port}`).getManifest('1', { signal: never });
    await repositoryAt(t, server.host).getManifest('1', { signal: never });
  });

  void test('is found out once per registry', async (t) => {
    const server = await fakeServer(t, manifests);
    const repository = repositoryAt(t, server.host);
    for (let index = 0; index < 3; index++) await repository.getManifest('1', { signal: never });
    assert.equal(server.seen.filter(({ url }) => url === '/v2/').length, 1);
  });

  void test('is not where a registry with TLS leads to, for content, uploads or tokens', async (t) => {
    const authority = new Authority(t);
    const { cert, key } = authority.issue('server', ['IP:0.0.0.0']);
    const plain = await fakeServer(t, (_request, response) => void response.end('{"token":"t"}'));
    const where = `http://${plain.host}/x`;
    let wantsToken = false;
    const server = await fakeServer(
      t,
      (request, response) => {
        if (wantsToken) {
          response.setHeader('WWW-Authenticate', `Bearer realm="${where}",service="s"`);
          return sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
        }
        if (request.url === '/v2/') return void response.end();
        if (request.method === 'HEAD') return void response.writeHead(404).end();
        response.writeHead(request.method === 'POST' ? 202 : 307, { Location: where }).end();
      },
      { cert, key },
    );
    const host = strictHost(server.port);
    const certificateDirectories = [certificateDirectory(t, host, { 'ca.crt': authority.certificate })];
    const setup = { certificateDirectories, credentials: { username: 'u', password: 'p' }, actions: 'push' as const };
    await assert.rejects(
      repositoryAt(t, host, setup).getManifest('1', { signal: never }),
      /redirect from https to plain http/,
    );
    const bytes = content(100);
    const pushing = repositoryAt(t, host, setup).pushBlob(
      { digest: digestOf(bytes), sizeBytes: 100 },
      { open: () => assert.fail('not sent'), mountFrom: [], signal: never },
    );
    await assert.rejects(pushing, /which is not followed/);
    wantsToken = true;
    await assert.rejects(
      repositoryAt(t, host, setup).getManifest('1', { signal: never }),
      /invalid token auth challenge realm/,
    );
    assert.equal(plain.seen.length, 0);
  });
});

void test('a registry that is not there is told as Go tells it', async (t) => {
  await assert.rejects(
    repositoryAt(t, '127.0.0.1:1').getManifest('1', { signal: never }),
    unreachable(/: Get "http:\/\/127\.0\.0\.1:1\/v2\/": dial tcp 127\.0\.0\.1:1: connect: connection refused$/),
  );
});

void test('a kept connection that the server drops is replaced without a word', async (t) => {
  const used = new WeakSet<object>();
  let dropped = 0;
  const server = await fakeServer(
    t,
    registryOf((request, response) => {
      if (used.has(request.socket)) {
        dropped += 1;
        request.socket.destroy();
        return;
      }
      used.add(request.socket);
      sendManifest(response);
    }),
  );
  const repository = repositoryAt(t, server.host, { limits: { attempts: 1 } });
  for (let index = 0; index < 3; index++) await repository.getManifest('1', { signal: never });
  assert.equal(dropped, 2);
});

void describe('mirrors', () => {
  const bytes = content(1000);
  const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };

  void test('are asked in their order, the registry last, and get no credentials', async (t) => {
    const registry = await fakeServer(
      t,
      registryOf((request, response) => {
        if (request.url?.includes('/blobs/') === true) return void response.end(bytes);
        sendManifest(response);
      }),
    );
    const empty = await fakeServer(t, (_request, response) =>
      sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown'),
    );
    const full = await fakeServer(t, (request, response) => {
      if (request.url?.includes('/blobs/') === true) return void response.end(bytes);
      sendManifest(response);
    });
    const setup = {
      mirrors: { [registry.host]: [`http://${empty.host}`, `http://me:secret@${full.host}/pre/fix`] },
      credentials: { username: 'u', password: 'p' },
    };
    const repository = repositoryAt(t, registry.host, setup);
    await repository.getManifest('1', { signal: never });
    assert.ok((await collect(repository.readBlob(blob, { signal: never }))).equals(bytes));
    assert.deepEqual(empty.calls(), ['GET /v2/a/b/manifests/1', `GET /v2/a/b/blobs/${blob.digest}`]);
    assert.deepEqual(full.calls(), ['GET /pre/fix/v2/a/b/manifests/1', `GET /pre/fix/v2/a/b/blobs/${blob.digest}`]);
    assert.equal(registry.seen.length, 0);
    assert.ok([...empty.seen, ...full.seen].every(({ headers }) => headers.authorization === undefined));
    await repository.headManifest('1', { signal: never });
    assert.deepEqual(registry.calls(), ['HEAD /v2/a/b/manifests/1', 'GET /v2/a/b/manifests/1']);
  });

  void test('that are down, lie or break off are replaced by the next, and not asked for a while', async (t) => {
    const registry = await fakeServer(
      t,
      registryOf((request, response) => {
        if (request.url?.includes('/blobs/') !== true) return sendManifest(response);
        const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        if (start === 0) return void response.end(bytes);
        response.writeHead(206, { 'Content-Range': `bytes ${start}-999/1000` }).end(bytes.subarray(start));
      }),
    );
    const liar = await fakeServer(t, (request, response) => {
      if (request.url?.includes('/blobs/') !== true)
        return sendManifest(response, Buffer.from('{"schemaVersion":2,"layers":[]}'));
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write(bytes.subarray(0, 500), () => response.destroy());
    });
    const broken = await fakeServer(t, (_request, response) => void response.writeHead(500).end());
    const mirrors = { [registry.host]: ['http://127.0.0.1:1', `http://${broken.host}`, `http://${liar.host}`] };
    const client = clientFor(t, { mirrors });
    const repository = client.repository({ domain: registry.host, path: 'a/b' }, { credentials: {}, actions: 'pull' });
    const { digest } = await repository.getManifest('1', { signal: never });
    const wanted = await repositoryAt(t, registry.host).getManifest('1', { signal: never });
    assert.notEqual(digest, wanted.digest, 'by tag a mirror is believed');
    assert.equal((await repository.getManifest(wanted.digest, { signal: never })).digest, wanted.digest);
    assert.ok((await collect(repository.readBlob(blob, { signal: never }))).equals(bytes));
    assert.equal(broken.seen.length, 1);
    assert.match(registry.seen.findLast(({ url }) => url.includes('/blobs/'))?.headers.range ?? '', /^bytes=500-999$/);
  });
});

interface Proxy {
  readonly url: string;
  readonly seen: string[];
  readonly authorizations: (string | undefined)[];
}

/** A proxy: forwards plain requests to where they say, and tunnels to the port they name on this machine. */
async function fakeProxy(t: TestContext): Promise<Proxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    const { port, pathname } = new URL(request.url ?? '');
    const onward = http.request({ port, path: pathname, method: request.method }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.end();
  });
  server.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    if (request.url?.startsWith('refused') === true) return void socket.end('HTTP/1.1 403 Not Here\r\n\r\n');
    const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [onward, socket])
      end.on('error', () => {
        onward.destroy();
        socket.destroy();
      });
    t.after(() => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://me:s%40cret@127.0.0.1:${(server.address() as AddressInfo).port}`, seen, authorizations };
}

void describe('proxies', () => {
  const authorization = `Basic ${Buffer.from('me:s@cret').toString('base64')}`;

  void test('are used for plain http and, by tunnels, for https', async (t) => {
    const proxy = await fakeProxy(t);
    const plain = await fakeServer(t, manifests);
    const proxies = { http: proxy.url, https: proxy.url };
    const host = `registry.example.com:${plain.port}`;
    await repositoryAt(t, host, { proxies, insecureRegistries: [host] }).getManifest('1', { signal: never });
    assert.deepEqual(proxy.seen, [
      `CONNECT ${host}`,
      `GET http://${host}/v2/`,
      `GET http://${host}/v2/a/b/manifests/1`,
    ]);
    const authority = new Authority(t);
    const { cert, key } = authority.issue('server', ['DNS:registry.example.com']);
    const secure = await fakeServer(t, manifests, { cert, key });
    const secureHost = `registry.example.com:${secure.port}`;
    const certificateDirectories = [certificateDirectory(t, secureHost, { 'ca.crt': authority.certificate })];
    const repository = repositoryAt(t, secureHost, { proxies, certificateDirectories });
    await repository.getManifest('1', { signal: never });
    await repository.getManifest('1', { signal: never });
    assert.equal(proxy.seen.filter((line) => line === `CONNECT ${secureHost}`).length, 1);
    assert.ok(proxy.authorizations.every((value) => value === authorization));
    await assert.rejects(
      repositoryAt(t, secureHost, { proxies }).getManifest('1', { signal: never }),
      unreachable(/certificate signed by unknown authority/),
    );
  });

  void test('are left out for what NO_PROXY says and for the loopback', async (t) => {
    const proxy = await fakeProxy(t);
    const plain = await fakeServer(t, manifests);
    const proxies = { http: proxy.url, https: proxy.url, none: 'example.org, 0.0.0.0/8' };
    const host = strictHost(plain.port);
    await repositoryAt(t, host, { proxies, insecureRegistries: [host] }).getManifest('1', { signal: never });
    await repositoryAt(t, plain.host, { proxies }).getManifest('1', { signal: never });
    assert.deepEqual(proxy.seen, []);
  });

  void test('that refuse are told without their password', async (t) => {
    const proxy = await fakeProxy(t);
    const repository = repositoryAt(t, 'refused.example.com', { proxies: { https: proxy.url } });
    await assert.rejects(repository.getManifest('1', { signal: never }), (error: unknown) => {
      unreachable(/Get "https:\/\/refused\.example\.com\/v2\/": Not Here/)(error);
      return !String(error).includes('cret');
    });
  });
});
