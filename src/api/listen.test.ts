import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '#lib';
import { parseListenAddress } from './http/listen-address.ts';
import type { ContainersBackend } from './routes/containers/backend.ts';
import type { ImagesBackend } from './routes/images/backend.ts';
import { type ApiServer, createApiServer } from './server.ts';
import { fake, serve } from './testing/serve.ts';

function newServer(): ApiServer {
  return createApiServer({ backends: {}, logger: createLogger('error', () => undefined), engineVersion: '0' });
}

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'api-listen-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('listen makes the folders, and the socket for owner and group alone', async () => {
  await using dir = await folder();
  await using server = newServer();
  const path = join(dir.path, 'deep/er/api.sock');
  assert.equal(await server.listen(`unix://${path}`), `unix://${path}`);
  assert.equal((await stat(path)).mode & 0o777, 0o660);
});

test('listen replaces a socket nobody serves, and nothing else', async () => {
  await using dir = await folder();
  const path = join(dir.path, 'api.sock');
  const killed = createServer().listen(path);
  await once(killed, 'listening');
  // Its socket file stays, as after kill -9, when it is moved away before the server closes.
  const stale = join(dir.path, 'stale.sock');
  await rename(path, stale);
  killed.close();
  await once(killed, 'close');

  await using server = newServer();
  await server.listen(`unix://${stale}`);
  await using second = newServer();
  await assert.rejects(second.listen(`unix://${stale}`), { kind: 'alreadyExists', code: 'SOCKET_IN_USE' });

  const file = join(dir.path, 'file');
  await writeFile(file, 'precious');
  await assert.rejects(second.listen(`unix://${file}`), { code: 'NOT_A_SOCKET' });
  const link = join(dir.path, 'link');
  await symlink(file, link);
  await assert.rejects(second.listen(`unix://${link}`), { code: 'NOT_A_SOCKET' });
  await mkdir(join(dir.path, 'folder'));
  await assert.rejects(second.listen(`unix://${join(dir.path, 'folder')}`), { code: 'NOT_A_SOCKET' });
});

test('listen serves TCP on loopback, at the port it chose', async () => {
  await using server = newServer();
  const address = await server.listen('tcp://127.0.0.1:0');
  const port = Number(/^tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(address)?.[1]);
  assert.ok(port > 0);
  const answer = await fetch(`http://127.0.0.1:${port}/_ping`);
  assert.equal(await answer.text(), 'OK');
});

test('TCP beyond loopback must be asked for twice', () => {
  for (const address of ['tcp://0.0.0.0:2375', 'tcp://[::]:2375', 'tcp://192.0.2.1', 'tcp://example.org:1']) {
    assert.throws(() => parseListenAddress(address, false), { kind: 'forbidden', code: 'INSECURE_TCP' }, address);
    assert.equal(parseListenAddress(address, true).kind, 'tcp');
  }
  assert.deepEqual(parseListenAddress('tcp://[::1]:80', false), { kind: 'tcp', host: '::1', port: 80 });
  assert.deepEqual(parseListenAddress('tcp://localhost', false), { kind: 'tcp', host: 'localhost', port: 2375 });
  assert.deepEqual(parseListenAddress('tcp://:2376', false), { kind: 'tcp', host: '127.0.0.1', port: 2376 });
  assert.deepEqual(parseListenAddress('unix:///run/x.sock', false), { kind: 'unix', path: '/run/x.sock' });
  for (const bad of ['unix://relative', 'http://a', 'tcp://a:99999', 'tcp://a:b', '/run/x.sock']) {
    assert.throws(() => parseListenAddress(bad, true), { kind: 'invalidArgument' }, bad);
  }
});

test('close lets requests finish, ends streams and idle connections, and refuses new ones', async () => {
  const pausing = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const aborted: string[] = [];
  const containers = fake<ContainersBackend>({
    pause: async () => {
      asked.resolve();
      await pausing.promise;
    },
    wait: async (_ref, _condition, signal) => ({
      result: once(signal, 'abort').then(() => {
        aborted.push('wait');
        throw new Error('stopped');
      }),
    }),
    attach: async () => ({
      tty: true,
      run: async ({ signal }) => {
        await once(signal, 'abort');
        aborted.push('attach');
      },
    }),
  });
  await using server = await serve({ containers });
  const idle = await server.dial();
  const waiting = await server.dial();
  waiting.socket.write('POST /containers/c/wait HTTP/1.1\r\nHost: d\r\n\r\n');
  await waiting.until((text) => text.includes('\r\n\r\n'));
  const attached = await server.dial();
  attached.socket.write('POST /containers/c/attach HTTP/1.1\r\nHost: d\r\n\r\n');
  await attached.until((text) => text.includes('\r\n\r\n'));
  const paused = server.ask('POST', '/containers/c/pause');
  await asked.promise;

  const closed = server.api.close();
  await Promise.all([waiting.untilEnd(), attached.untilEnd(), idle.untilEnd()]);
  assert.deepEqual(aborted.toSorted(), ['attach', 'wait']);
  const [error] = await once(connect(server.path), 'error');
  assert.match(String(error), /ENOENT|ECONNREFUSED/);
  pausing.resolve();
  assert.equal((await paused).status, 204);
  await closed;
  await server.api.close();
});

test('close cuts what does not finish in time', async () => {
  const containers = fake<ContainersBackend>({ pause: () => new Promise(() => undefined) });
  await using server = await serve({ containers });
  const paused = assert.rejects(server.ask('POST', '/containers/c/pause'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await server.api.close(20);
  await paused;
});

test('openapi.json describes every route, with a name of its own each', async () => {
  await using server = await serve({ images: fake<ImagesBackend>({}) });
  const answer = await server.ask('GET', '/v1.51/openapi.json');
  assert.equal(answer.status, 200);
  const { paths } = JSON.parse(answer.text) as { paths: Record<string, Record<string, { operationId: string }>> };
  const names = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 120, `${names.length} routes`);
  assert.ok(paths['/containers/{id}/json']?.['get']);
  assert.ok(paths['/openapi.json']);
});
