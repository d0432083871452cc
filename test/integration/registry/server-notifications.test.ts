import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import { RegistryProbe } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';
import { until } from '../../helpers/until.ts';

interface Event {
  action: string;
  target: {
    repository: string;
    digest?: string;
    tag?: string;
    mediaType?: string;
    fromRepository?: string;
    url?: string;
  };
  request: { method: string; useragent: string };
}

interface Hook {
  readonly url: string;
  readonly events: Event[];
  /** What it answers from now on. */
  status: number;
  requests: number;
}

async function startHook(t: TestContext): Promise<Hook> {
  const hook = { url: '', events: [] as Event[], status: 200, requests: 0 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      hook.requests += 1;
      assert.equal(request.headers['content-type'], 'application/vnd.docker.distribution.events.v1+json');
      assert.equal(request.headers['x-secret'], 'token');
      if (hook.status === 200)
        hook.events.push(...(JSON.parse(Buffer.concat(chunks).toString()) as { events: Event[] }).events);
      response.writeHead(hook.status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  hook.url = `http://127.0.0.1:${address.port}/hook`;
  return hook;
}

test('notifications: push, mount, pull and delete in the envelope of Docker, in order', async (t) => {
  const hook = await startHook(t);
  const registry = await TestRegistry.start({
    config: { notifications: [{ name: 'hook', url: hook.url, headers: { 'X-Secret': 'token' } }] },
  });
  t.after(async () => await registry.dispose());
  const probe = new RegistryProbe(registry.url, { 'user-agent': 'tests/1' });
  const { digest, blobs } = await probe.pushImage('a/b', 'one');
  await probe.send('POST', `/v2/c/d/blobs/uploads/?mount=${blobs[1]}&from=a/b`);
  await probe.get('/v2/a/b/manifests/one');
  await probe.get(`/v2/a/b/blobs/${blobs[1]}`);
  // A pull is told of once all of it is sent, which the client may learn first.
  await until(() => hook.events.length === 6, { what: 'six events' });
  await probe.send('DELETE', '/v2/a/b/manifests/one');
  await until(() => hook.events.length === 7, { what: 'seven events' });
  assert.deepEqual(
    hook.events.map(({ action, target }) => [action, target.repository, target.tag ?? target.digest]),
    [
      ['push', 'a/b', blobs[0]],
      ['push', 'a/b', blobs[1]],
      ['push', 'a/b', 'one'],
      ['mount', 'c/d', blobs[1]],
      ['pull', 'a/b', 'one'],
      ['pull', 'a/b', blobs[1]],
      ['delete', 'a/b', 'one'],
    ],
  );
  assert.equal(hook.events[2]?.target.digest, digest);
  assert.equal(hook.events[3]?.target.fromRepository, 'a/b');
  assert.deepEqual(hook.events[2]?.request, { ...hook.events[2]?.request, method: 'PUT', useragent: 'tests/1' });
});

test('notifications: kept while the hook fails, over a restart, and delivered in order when it is back', async (t) => {
  const hook = await startHook(t);
  hook.status = 503;
  const registry = await TestRegistry.start({
    config: {
      notifications: [
        { name: 'hook', url: hook.url, headers: { 'X-Secret': 'token' }, actions: ['push'], maxQueued: 4 },
      ],
    },
  });
  t.after(async () => await registry.dispose());
  const probe = new RegistryProbe(registry.url);
  await probe.pushImage('a/b', 'one');
  await until(() => hook.requests > 0, { what: 'a first attempt' });
  await registry.kill9();
  await registry.launch();
  await probe.pushImage('a/b', 'two');
  hook.status = 200;
  await until(() => hook.events.length === 4, { what: 'the four events of the full queue' });
  assert.deepEqual(hook.events.map(({ target }) => target.tag).slice(0, 3), [undefined, undefined, 'one']);
  assert.match(registry.log(), /notifications are dropped: the queue is full/);
});
