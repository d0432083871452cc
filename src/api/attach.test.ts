import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { EngineError } from '#errors';
import { encodeStdcopyFrame, StdcopyDecoder } from '#spec';
import type { AttachOptions, AttachStreams, ContainersBackend } from './routes/containers/backend.ts';
import type { ExecBackend } from './routes/exec/backend.ts';
import { fake, type RawClient, serve } from './testing/serve.ts';

type Run = (streams: AttachStreams) => Promise<void>;

function attachable(run: Run, tty = false): ContainersBackend {
  return fake<ContainersBackend>({ attach: async () => ({ tty, run }) });
}

/** What a process without terminal would do that answers each input in upper case and says goodbye on stderr. */
async function shout({ stdin, stdout, stderr }: AttachStreams): Promise<void> {
  if (stdin) {
    for await (const chunk of stdin) stdout?.write(String(chunk).toUpperCase());
  }
  stderr?.write('bye');
}

function decode(body: Buffer): Record<string, string> {
  const decoder = new StdcopyDecoder();
  const texts: Record<string, string> = {};
  for (const { stream, data } of decoder.decode(body)) texts[stream] = (texts[stream] ?? '') + data.toString();
  decoder.finish();
  return texts;
}

const query = 'stream=1&stdin=1&stdout=1&stderr=1';
const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

function opened(client: RawClient, headers: string, rest = ''): Promise<string> {
  client.socket.write(`POST /v1.51/containers/c/attach?${query} HTTP/1.1\r\nHost: d\r\n${headers}\r\n${rest}`);
  return client.until((text) => text.includes('\r\n\r\n'));
}

test('attach with Upgrade answers 101 and half-closing stdin leaves the outputs open', async () => {
  await using server = await serve({ containers: attachable(shout) });
  const client = await server.dial();
  const head = await opened(client, upgrade);
  assert.match(head, /^HTTP\/1\.1 101 UPGRADED\r\n/);
  assert.match(head, /\r\nContent-Type: application\/vnd\.docker\.multiplexed-stream\r\n/);
  assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n/);
  assert.doesNotMatch(head, /Content-Length|Transfer-Encoding/i);
  client.socket.write('one ');
  await client.until(() => client.body.toString().includes('ONE'));
  client.socket.end('two');
  await client.untilEnd();
  assert.deepEqual(decode(client.body), { stdout: 'ONE TWO', stderr: 'bye' });
});

test('attach without Upgrade answers 200 and goes raw, with what came right behind the head', async () => {
  await using server = await serve({ containers: attachable(shout) });
  for (const headers of ['', 'Content-Length: 0\r\n', 'Content-Type: text/plain\r\nContent-Length: 0\r\n']) {
    const client = await server.dial();
    const head = await opened(client, headers, 'GET / HTTP/1.1 is what I type');
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(head, /\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/);
    assert.doesNotMatch(head, /Content-Length|Transfer-Encoding/i);
    client.socket.end();
    await client.untilEnd();
    assert.deepEqual(decode(client.body), { stdout: 'GET / HTTP/1.1 IS WHAT I TYPE', stderr: 'bye' });
  }
});

test('attach takes its head in any chunks', async () => {
  await using server = await serve({ containers: attachable(shout) });
  const client = await server.dial();
  const sent = `POST /containers/c/attach?${query} HTTP/1.1\r\nHost: d\r\n${upgrade}Content-Length: 2\r\n\r\n{}input`;
  for (const byte of sent) {
    client.socket.write(byte);
    await new Promise(setImmediate);
  }
  client.socket.end();
  await client.untilEnd();
  assert.deepEqual(decode(client.body), { stdout: 'INPUT', stderr: 'bye' });
});

test('attach on a connection that has served requests before', async () => {
  await using server = await serve({ containers: attachable(shout) });
  const client = await server.dial();
  client.socket.write('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
  await client.until((text) => text.endsWith('\r\n\r\nOK'));
  client.received = Buffer.alloc(0);
  await opened(client, upgrade, 'x');
  client.socket.end();
  await client.untilEnd();
  assert.deepEqual(decode(client.body), { stdout: 'X', stderr: 'bye' });
});

test('attach behind an unanswered request is cut, so that two answers never mix', async () => {
  const attached: string[] = [];
  const containers = fake<ContainersBackend>({
    pause: () => new Promise(() => undefined),
    attach: async (ref) => {
      attached.push(ref);
      return { tty: false, run: shout };
    },
  });
  await using server = await serve({ containers });
  const client = await server.dial();
  client.socket.write(
    'POST /containers/c/pause HTTP/1.1\r\nHost: d\r\n\r\nPOST /containers/c/attach HTTP/1.1\r\nHost: d\r\n\r\n',
  );
  assert.equal(await client.untilEnd(), '');
  assert.deepEqual(attached, []);
  // The pause goes on for ever; the server's end does not wait for it.
  await server.api.destroy();
});

test('attach to a terminal is raw, and before 1.42 all streams are called raw', async () => {
  await using server = await serve({ containers: attachable(shout, true) });
  const client = await server.dial();
  assert.match(await opened(client, upgrade), /application\/vnd\.docker\.raw-stream/);
  client.socket.end('hi');
  await client.untilEnd();
  assert.equal(client.body.toString(), 'HI');

  await using older = await serve({ containers: attachable(shout) });
  const old = await older.dial();
  old.socket.end(`POST /v1.41/containers/c/attach?${query} HTTP/1.1\r\nHost: d\r\n${upgrade}\r\n`);
  assert.match(await old.untilEnd(), /application\/vnd\.docker\.raw-stream/);
});

test('attach passes its options on and gives only the streams asked for', async () => {
  let given: AttachOptions | undefined;
  let streams: AttachStreams | undefined;
  const containers = fake<ContainersBackend>({
    attach: async (ref, options) => {
      assert.equal(ref, 'name/with%slash');
      given = options;
      return { tty: false, run: async (all) => void (streams = all) };
    },
  });
  await using server = await serve({ containers });
  const client = await server.dial();
  client.socket.write(
    `POST /containers/name%2Fwith%25slash/attach?logs=1&stdout=true&stderr=0&detachKeys=ctrl-x HTTP/1.1\r\nHost: d\r\n\r\n`,
  );
  await client.untilEnd();
  assert.deepEqual(given, {
    logs: true,
    stream: false,
    stdin: false,
    stdout: true,
    stderr: false,
    detachKeys: 'ctrl-x',
  });
  assert.equal(streams?.stdin, undefined);
  assert.equal(streams?.stderr, undefined);
  assert.ok(streams?.stdout);
});

test('attach failures are statuses', async () => {
  const containers = fake<ContainersBackend>({
    attach: () => Promise.reject(new EngineError('notFound', 'X', 'No such container: c')),
  });
  await using server = await serve({ containers });
  for (const headers of [upgrade, '']) {
    const client = await server.dial();
    await opened(client, headers);
    const text = await client.untilEnd();
    assert.match(text, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.deepEqual(JSON.parse(client.body.toString()), { message: 'No such container: c' });
  }
  await using unbuilt = await serve({});
  const client = await unbuilt.dial();
  assert.match(await opened(client, upgrade), /^HTTP\/1\.1 501 Not Implemented\r\n/);
});

test('attach tells the backend when the client goes', { timeout: 10_000 }, async () => {
  const before: Record<string, (client: RawClient) => void> = {
    'while its input is read': () => undefined,
    'after a half-close': ({ socket }) => void socket.end(),
    'while nobody takes its input': ({ socket }) => void socket.write(Buffer.alloc(128 * 1024)),
  };
  for (const [when, prepare] of Object.entries(before)) {
    const gone = Promise.withResolvers<void>();
    const waiting: Run = async ({ signal, stdin }) => {
      if (!when.includes('nobody')) stdin?.resume();
      await once(signal, 'abort');
      gone.resolve();
    };
    await using server = await serve({ containers: attachable(waiting) });
    const client = await server.dial();
    await opened(client, upgrade);
    prepare(client);
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.destroy();
    await gone.promise;
  }
});

test('attach holds a fast process back for a slow client and loses nothing', async () => {
  const chunk = Buffer.alloc(32 * 1024, 'x');
  const chunks = 512;
  let ahead = 0;
  const fast: Run = async ({ stdout }) => {
    assert.ok(stdout);
    for (let count = 0; count < chunks; count++) {
      if (!stdout.write(chunk)) await once(stdout, 'drain');
      ahead = count;
    }
  };
  await using server = await serve({ containers: attachable(fast) });
  const client = await server.dial();
  client.socket.pause();
  client.socket.write(`POST /containers/c/attach?${query} HTTP/1.1\r\nHost: d\r\n${upgrade}\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(ahead < 64, `${ahead} chunks were taken from the process while nobody read`);
  client.socket.resume();
  await client.untilEnd();
  assert.equal(decode(client.body)['stdout']?.length, chunks * chunk.length);
});

function execBackend(run: Run, calls: unknown[] = [], tty = false): ExecBackend {
  return fake<ExecBackend>({
    start: async (id, options) => {
      calls.push({ id, ...options });
      return { tty, run };
    },
  });
}

test('exec start reads its body before the stream, by length and in chunks, and loses nothing behind it', async () => {
  const calls: unknown[] = [];
  await using server = await serve({ exec: execBackend(shout, calls) });
  const json = '{"Detach":false,"tty":false,"Unknown":{}}';
  const byLength = `Content-Length: ${json.length}\r\n\r\n${json}`;
  const inChunks = `Transfer-Encoding: chunked\r\n\r\n5\r\n${json.slice(0, 5)}\r\n${(json.length - 5).toString(16)};x=y\r\n${json.slice(5)}\r\n0\r\nTrailer: 1\r\n\r\n`;
  for (const headers of [upgrade, '']) {
    for (const body of [byLength, inChunks]) {
      const whole = `POST /v1.45/exec/e/start HTTP/1.1\r\nHost: d\r\n${headers}Content-Type: application/json\r\n${body}typed`;
      for (const cut of [whole.length, whole.length - 5, whole.length - 8, whole.length - 30]) {
        const client = await server.dial();
        client.socket.write(whole.slice(0, cut));
        await new Promise(setImmediate);
        client.socket.end(whole.slice(cut));
        const text = await client.untilEnd();
        assert.match(text, headers === '' ? /^HTTP\/1\.1 200 OK/ : /^HTTP\/1\.1 101 UPGRADED/);
        assert.deepEqual(decode(client.body), { stdout: 'TYPED', stderr: 'bye' });
      }
    }
  }
  assert.deepEqual(calls[0], { id: 'e', detach: false, tty: false, consoleSize: undefined });
});

test('exec start passes terminal and size, detaches, and refuses bad bodies', async () => {
  const calls: unknown[] = [];
  await using server = await serve({ exec: execBackend(shout, calls, true) });
  const start = (body: string, version = 'v1.51'): Promise<{ status: number; text: string }> =>
    server.ask('POST', `/${version}/exec/e/start`, { body });
  const detached = await start('{"Detach":true}');
  assert.equal(detached.status, 200);
  assert.equal(detached.text, '');
  await start('{"Detach":true,"Tty":true,"ConsoleSize":[24,80]}');
  await start('{"Detach":true,"Tty":true,"ConsoleSize":[24,80]}', 'v1.41');
  assert.deepEqual(calls, [
    { id: 'e', detach: true, tty: false, consoleSize: undefined },
    { id: 'e', detach: true, tty: true, consoleSize: [24, 80] },
    { id: 'e', detach: true, tty: true, consoleSize: undefined },
  ]);
  const bad = await start('{"Detach":"yes"}');
  assert.equal(bad.status, 400);
  assert.match(bad.text, /cannot unmarshal string into Go struct field Detach of type bool/);
  assert.equal((await start('{')).status, 400);
});

test('exec start prints what keeps the process from starting', async () => {
  const run: Run = () =>
    Promise.reject(new EngineError('invalidArgument', 'X', 'OCI runtime exec failed: no such file'));
  await using server = await serve({ exec: execBackend(run) });
  const client = await server.dial();
  client.socket.write(
    `POST /exec/e/start HTTP/1.1\r\nHost: d\r\n${upgrade}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
  );
  await client.untilEnd();
  assert.deepEqual(client.body, encodeStdcopyFrame('stdout', Buffer.from('OCI runtime exec failed: no such file\r\n')));
});

test('a body that never ends is refused where the connection is raw', async () => {
  await using server = await serve({ exec: execBackend(shout), containers: attachable(shout) });
  for (const head of [
    'POST /containers/c/attach HTTP/1.1\r\nHost: d\r\nContent-Length: 999999999\r\n\r\n',
    `POST /exec/e/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffff0\r\n`,
    `POST /exec/e/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
  ]) {
    const client = await server.dial();
    client.socket.write(head);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 Bad Request/);
  }
});
