import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PluginClient } from './plugin-client.ts';

const options = { timeoutMs: 1000, patienceMs: 0 };

async function serve(
  t: TestContext,
  status: number,
  answer: string,
): Promise<{ client: PluginClient; seen: string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'plugin-'));
  const socket = join(directory, 'p.sock');
  const seen: string[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers.accept}`);
    request.resume();
    response.writeHead(status).end(answer);
  }).listen(socket);
  t.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  await once(server, 'listening');
  return { client: new PluginClient({ url: `unix://${socket}` }), seen };
}

test('PluginClient posts JSON as Docker does', async (t) => {
  const { client, seen } = await serve(t, 200, '{"Mountpoint":"/x","Err":""}');
  assert.deepEqual(await client.call('VolumeDriver.Path', { Name: 'v' }, options), { Mountpoint: '/x', Err: '' });
  assert.deepEqual(seen, ['POST /VolumeDriver.Path plugin.moby.localhost application/vnd.docker.plugins.v1.2+json']);
});

test("PluginClient throws the plugin's own words", async (t) => {
  const refusing = await serve(t, 200, '{"Err":"no"}');
  await assert.rejects(refusing.client.call('A.B', {}, options), { kind: 'internal', message: 'no' });
  const failing = await serve(t, 500, '{"Err":"worse"}');
  await assert.rejects(failing.client.call('A.B', {}, options), { message: 'A.B: worse' });
  const old = await serve(t, 500, 'text\n');
  await assert.rejects(old.client.call('A.B', {}, options), { message: 'A.B: text' });
  const garbled = await serve(t, 200, 'text');
  await assert.rejects(garbled.client.call('A.B', {}, options), /no JSON object/);
});

test('PluginClient tells who cannot be reached', async () => {
  const client = new PluginClient({ url: 'unix:///no/such.sock' });
  await assert.rejects(client.call('A.B', {}, options), {
    kind: 'unavailable',
    message: /^Post "unix:\/\/\/no\/such\.sock\/A\.B": /,
  });
});
