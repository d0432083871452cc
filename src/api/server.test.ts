import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#errors';
import type { ContainersBackend } from './routes/containers/backend.ts';
import type { SystemBackend } from './routes/system/backend.ts';
import { fake, serve } from './testing/serve.ts';

test('the server answers ping with Docker headers, with and without body', async () => {
  await using server = await serve({});
  for (const path of ['/_ping', '/v1.24/_ping']) {
    const get = await server.ask('GET', path);
    assert.equal(get.status, 200);
    assert.equal(get.text, 'OK');
    const head = await server.ask('HEAD', path);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    for (const { headers } of [get, head]) {
      assert.equal(headers['api-version'], '1.51');
      assert.equal(headers['ostype'], 'linux');
      assert.equal(headers['docker-experimental'], 'false');
      assert.equal(headers['builder-version'], '1');
      assert.equal(headers['swarm'], 'inactive');
      assert.equal(headers['cache-control'], 'no-cache, no-store, must-revalidate');
      assert.match(String(headers['server']), /^Berth\/.* \(linux\)$/);
    }
  }
});

test('the server refuses versions it does not serve, in Docker words', async () => {
  await using server = await serve({ system: fake<SystemBackend>({ info: async () => ({}) }) });
  const tooNew = await server.ask('GET', '/v1.99/info');
  assert.equal(tooNew.status, 400);
  assert.deepEqual(JSON.parse(tooNew.text), {
    message: 'client version 1.99 is too new. Maximum supported API version is 1.51',
  });
  const tooOld = await server.ask('GET', '/v1.10/info');
  assert.equal(tooOld.status, 400);
  assert.equal(
    tooOld.text,
    'client version 1.10 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n',
  );
  for (const version of ['1.24', '1.51']) assert.equal((await server.ask('GET', `/v${version}/info`)).status, 200);
  assert.equal((await server.ask('GET', '/v2.0/info')).status, 400);
});

test('the server answers unknown paths, wrong methods and unbuilt routes', async () => {
  await using server = await serve({});
  for (const [method, path] of [
    ['GET', '/nope'],
    ['GET', '/v1.41/nope'],
    ['POST', '/_ping'],
    ['PUT', '/containers/json'],
  ] as const) {
    const answer = await server.ask(method, path);
    assert.equal(answer.status, 404);
    assert.deepEqual(JSON.parse(answer.text), { message: 'page not found' });
  }
  const unbuilt = await server.ask('POST', '/v1.51/swarm/init');
  assert.equal(unbuilt.status, 501);
  assert.deepEqual(JSON.parse(unbuilt.text), { message: 'POST /swarm/init is not implemented yet' });
  assert.equal((await server.ask('GET', '/containers/json')).status, 501, 'no backend');
  assert.equal((await server.ask('OPTIONS', '/containers/json')).status, 200);
});

test('the server turns failures into statuses', async () => {
  const failure = { now: new Error('boom') };
  const containers = fake<ContainersBackend>({
    pause: () => Promise.reject(failure.now),
  });
  await using server = await serve({ containers });
  const expected = {
    notFound: 404,
    invalidArgument: 400,
    alreadyExists: 409,
    conflict: 409,
    unauthorized: 401,
    forbidden: 403,
    unavailable: 503,
    notImplemented: 501,
    internal: 500,
  } as const;
  for (const [kind, status] of Object.entries(expected)) {
    failure.now = new EngineError(kind as keyof typeof expected, 'CODE', `message of ${kind}`);
    const answer = await server.ask('POST', '/containers/x/pause');
    assert.equal(answer.status, status);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(answer.text), { message: `message of ${kind}` });
  }
  failure.now = new EngineError('notModified', 'CODE', '');
  const same = await server.ask('POST', '/containers/x/pause');
  assert.equal(same.status, 304);
  assert.equal(same.text, '');

  assert.equal(server.log.filter((line) => line.includes('unexpectedly')).length, 0);
  failure.now = new TypeError('boom');
  const panic = await server.ask('POST', '/containers/x/pause');
  assert.equal(panic.status, 500);
  assert.equal(server.log.filter((line) => line.includes('unexpectedly')).length, 1);
});
