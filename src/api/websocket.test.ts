import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { EngineError } from '#errors';
import type { AttachOptions, AttachStreams, ContainersBackend } from './routes/containers/backend.ts';
import { fake, serve, type TestServer } from './testing/serve.ts';

function open(server: TestServer, path: string): { websocket: WebSocket; messages: [string, boolean][] } {
  const websocket = new WebSocket(`ws+unix://${server.path}:${path}`);
  const messages: [string, boolean][] = [];
  websocket.on('message', (data: Buffer, binary) => messages.push([data.toString(), binary]));
  return { websocket, messages };
}

function attachable(run: (streams: AttachStreams) => Promise<void>, seen: AttachOptions[] = []): ContainersBackend {
  return fake<ContainersBackend>({
    attach: async (_ref, options) => {
      seen.push(options);
      return { tty: false, run };
    },
  });
}

async function echoOnce({ stdin, stdout, stderr }: AttachStreams): Promise<void> {
  if (stdin) stdout?.write(`echo ${String((await once(stdin, 'data'))[0])}`);
  stderr?.write('bye');
}

test('attach by websocket carries both outputs in binary messages and closes at the end', async () => {
  const seen: AttachOptions[] = [];
  await using server = await serve({ containers: attachable(echoOnce, seen) });
  const { websocket, messages } = open(server, '/v1.51/containers/c/attach/ws?stream=1&stdin=1&stdout=1&stderr=1');
  await once(websocket, 'open');
  websocket.send('hi');
  const [code] = await once(websocket, 'close');
  assert.equal(code, 1000);
  assert.deepEqual(messages, [
    ['echo hi', true],
    ['bye', true],
  ]);
  assert.equal(seen[0]?.stdin, true);
});

test('attach by websocket sends text before 1.28 and attaches everything before 1.42', async () => {
  const seen: AttachOptions[] = [];
  await using server = await serve({ containers: attachable(echoOnce, seen) });
  const { websocket, messages } = open(server, '/v1.27/containers/c/attach/ws?stream=1');
  await once(websocket, 'open');
  websocket.send(Buffer.from('hi'));
  await once(websocket, 'close');
  assert.deepEqual(messages, [
    ['echo hi', false],
    ['bye', false],
  ]);
  assert.deepEqual([seen[0]?.stdin, seen[0]?.stdout, seen[0]?.stderr], [true, true, true]);
});

test('attach by websocket fails before the handshake, and without one', async () => {
  const containers = fake<ContainersBackend>({
    attach: () => Promise.reject(new EngineError('notFound', 'X', 'No such container: c')),
  });
  await using server = await serve({ containers });
  const { websocket } = open(server, '/containers/c/attach/ws');
  const [error] = await once(websocket, 'error');
  assert.match(String(error), /404/);
  const plain = await server.ask('GET', '/containers/c/attach/ws');
  assert.equal(plain.status, 400);
  await using attached = await serve({ containers: attachable(echoOnce) });
  const bad = await attached.dial();
  bad.socket.write(
    'GET /containers/c/attach/ws HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  assert.match(await bad.untilEnd(), /^HTTP\/1\.1 400 /);
});

test('attach by websocket tells the backend when the client goes', async () => {
  const gone = Promise.withResolvers<void>();
  const run = async ({ signal }: AttachStreams): Promise<void> => {
    await once(signal, 'abort');
    gone.resolve();
  };
  await using server = await serve({ containers: attachable(run) });
  const { websocket } = open(server, '/containers/c/attach/ws?stdout=1');
  await once(websocket, 'open');
  websocket.terminate();
  await gone.promise;
});
