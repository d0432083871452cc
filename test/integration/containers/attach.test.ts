import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { HijackedStream } from '#client';
import { collect, collectRaw, refuses, useEngine } from '../../helpers/engine.ts';
import { isBerth } from '../../helpers/target.ts';
import { until, within } from '../../helpers/until.ts';

const engine = useEngine();
const everything = { stream: true, stdin: true, stdout: true, stderr: true } as const;
const interactive = { OpenStdin: true, AttachStdin: true, AttachStdout: true, AttachStderr: true } as const;

/** A connection after its HTTP head, spoken by hand: the head's text, then raw bytes. */
async function rawAttach(
  id: string,
  query: string,
  headers: string[],
): Promise<{ head: string; socket: Socket; rest: Buffer }> {
  const socket = connect(engine.host.replace('unix://', ''));
  socket.on('error', () => undefined);
  socket.write(
    [
      `POST /v1.41/containers/${id}/attach?${query} HTTP/1.1`,
      'Host: docker',
      'Content-Length: 0',
      ...headers,
      '',
      '',
    ].join('\r\n'),
  );
  let seen = Buffer.alloc(0);
  while (seen.indexOf('\r\n\r\n') < 0) {
    const [chunk] = await within(once(socket, 'data'), 'the head of the answer');
    assert.ok(Buffer.isBuffer(chunk));
    seen = Buffer.concat([seen, chunk]);
  }
  const end = seen.indexOf('\r\n\r\n') + 4;
  socket.pause();
  return { head: seen.subarray(0, end).toString(), socket, rest: seen.subarray(end) };
}

/** Reads a terminal's stream into a text that grows. */
function follow(stream: HijackedStream): { text(): string; ended: Promise<void> } {
  let text = '';
  const ended = (async () => {
    for await (const chunk of stream) text += chunk.toString();
  })();
  return { text: () => text, ended };
}

describe('attach', { concurrency: 4 }, () => {
  test('before start gets everything from the first byte, both streams apart', async (t) => {
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'echo out; echo err >&2'],
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await engine.attach(id, { stream: true, stdout: true, stderr: true });
    await engine.start(id);
    const output = await within(collect(stream), 'the end of the output');
    assert.deepEqual(output, { stdout: 'out\n', stderr: 'err\n' });
  });

  test('with Upgrade answers 101, without it 200; both then raw, without chunks or a length', async (t) => {
    for (const [headers, status] of [
      [['Connection: Upgrade', 'Upgrade: tcp'], 'HTTP/1.1 101 UPGRADED'],
      [[], 'HTTP/1.1 200 OK'],
    ] as const) {
      const id = await engine.create(t, { Cmd: ['cat'], ...interactive });
      const { head, socket } = await rawAttach(id, 'stream=1&stdin=1&stdout=1', [...headers]);
      assert.ok(head.startsWith(`${status}\r\n`), head);
      assert.match(head, /Content-Type: application\/vnd\.docker\.(raw|multiplexed)-stream\r\n/i);
      assert.doesNotMatch(head, /Transfer-Encoding|Content-Length/i);
      await engine.start(id);
      socket.write('hello\n');
      const [frame] = await within(once(socket.resume(), 'data'), 'the echo');
      assert.deepEqual(frame, Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 6]), Buffer.from('hello\n')]));
      socket.destroy();
    }
  });

  test(
    'the media type tells of frames from API 1.42 on',
    { skip: isBerth ? false : 'dockerd may be older' },
    async (t) => {
      const framed = await engine.create(t, { Cmd: ['true'] });
      const first = await engine.attach(framed, { stream: true, stdout: true });
      assert.equal(first.mediaType, 'application/vnd.docker.multiplexed-stream');
      first.destroy();
      const terminal = await engine.create(t, { Cmd: ['true'], Tty: true });
      const second = await engine.attach(terminal, { stream: true, stdout: true });
      assert.equal(second.mediaType, 'application/vnd.docker.raw-stream');
      second.destroy();
      const { head, socket } = await rawAttach(framed, 'stream=1&stdout=1', ['Connection: Upgrade', 'Upgrade: tcp']);
      assert.match(head, /Content-Type: application\/vnd\.docker\.raw-stream\r\n/i);
      socket.destroy();
    },
  );

  test('the end of stdin does not end stdout', async (t) => {
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'wc -c; sleep 0.2; echo after'],
      ...interactive,
      StdinOnce: true,
    });
    const stream = await engine.attach(id, everything);
    await engine.start(id);
    await stream.write('12345');
    stream.closeWrite();
    const { stdout } = await within(collect(stream), 'the output after the end of stdin');
    assert.equal(stdout, '5\nafter\n');
    assert.equal(await engine.wait(id), 0);
  });

  test('stdin stays open for the next client unless StdinOnce', async (t) => {
    const id = await engine.create(t, { Cmd: ['cat'], ...interactive });
    await engine.start(id);
    const first = await engine.attach(id, everything);
    await first.write('first\n');
    first.destroy();
    await until(async () => (await engine.logs(id)).stdout === 'first\n', { what: 'the first line' });
    const second = await engine.attach(id, everything);
    await second.write('second\n');
    await until(async () => (await engine.logs(id)).stdout === 'first\nsecond\n', { what: 'the second line' });
    assert.equal(await engine.status(id), 'running');
    second.destroy();
  });

  test('several clients all see the output', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh', '-c', 'read line; echo "got $line"'], ...interactive });
    await engine.start(id);
    const clients = await Promise.all(Array.from({ length: 5 }, async () => await engine.attach(id, everything)));
    await clients[0]?.write('it\n');
    for (const client of clients) {
      assert.equal((await within(collect(client), 'the output')).stdout, 'got it\n');
    }
  });

  test('logs=1 replays what was printed before', async (t) => {
    const id = await engine.run(t, 'echo before; read line; echo after', { OpenStdin: true });
    await until(async () => (await engine.logs(id)).stdout === 'before\n', { what: 'the first line' });
    const stream = await engine.attach(id, { ...everything, logs: true });
    await stream.write('\n');
    assert.equal((await within(collect(stream), 'the output')).stdout, 'before\nafter\n');
  });

  test('a slow client loses nothing', async (t) => {
    const lines = 40_000;
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', `seq -f "%0100.0f" 1 ${lines} 2>/dev/null || seq -w 1 ${lines}`],
    });
    const stream = await engine.attach(id, { stream: true, stdout: true });
    await engine.start(id);
    // Nothing is read until the sockets and pipes in between are full, or the container was done with it all.
    await until(async () => (await engine.status(id)) === 'exited' || stream.socket.readableLength > 0, {
      what: 'output',
    });
    const { stdout } = await within(collect(stream), 'the output', 60_000);
    const got = stdout.trimEnd().split('\n').map(Number);
    assert.equal(got.length, lines);
    assert.ok(got.every((value, index) => value === index + 1));
  });

  test('a terminal echoes, has the size asked for, and is resized', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh'], Tty: true, ...interactive });
    const stream = await engine.attach(id, everything);
    const output = follow(stream);
    await engine.start(id);
    await engine.client.post(`/containers/${id}/resize`, { h: 33, w: 77 });
    await stream.write('stty size\n');
    await until(() => output.text().includes('33 77\r\n'), { what: 'the size' });
    await engine.client.post(`/containers/${id}/resize`, { h: 20, w: 100 });
    await stream.write('stty size; exit 5\n');
    await within(output.ended, 'the end of the shell');
    assert.ok(output.text().includes('20 100\r\n'), output.text());
    assert.equal(await engine.wait(id), 5);
  });

  test('Ctrl-C in a terminal interrupts the foreground process', async (t) => {
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'trap "echo caught; exit 8" INT; echo ready; while :; do sleep 0.1; done'],
      Tty: true,
      ...interactive,
    });
    const stream = await engine.attach(id, everything);
    const output = follow(stream);
    await engine.start(id);
    await until(() => output.text().includes('ready\r\n'), { what: 'ready' });
    await stream.write('\x03');
    await within(output.ended, 'the end of the container');
    assert.match(output.text(), /caught/);
    assert.equal(await engine.wait(id), 8);
  });

  test('the detach keys detach and leave it running', async (t) => {
    for (const [keys, sequence] of [
      [undefined, '\x10\x11'],
      ['ctrl-x,y', '\x18y'],
    ] as const) {
      const id = await engine.create(t, { Cmd: ['cat'], Tty: true, ...interactive });
      await engine.start(id);
      const stream = await engine.attach(id, { ...everything, detachKeys: keys });
      await stream.write(sequence);
      await within(collectRaw(stream), 'the end of the connection');
      assert.equal(await engine.status(id), 'running');
    }
  });

  test('refuses a container that is paused, and bad detach keys', async (t) => {
    const id = await engine.runIdle(t);
    await refuses(
      engine.attach(id, { stream: true, stdout: true, detachKeys: 'ctrl-&&' }),
      400,
      /ctrl-&&|escape keys/i,
    );
    await engine.client.post(`/containers/${id}/pause`);
    await refuses(
      engine.attach(id, { stream: true, stdout: true }),
      409,
      /is paused[.,] *unpause the container before attach/i,
    );
  });

  test('a websocket carries the output', async (t) => {
    const id = await engine.create(t, { Cmd: ['sh', '-c', 'read line; echo "got $line"'], ...interactive });
    await engine.start(id);
    const { default: WebSocket } = await import('ws');
    const path = engine.host.replace('unix://', '');
    const socket = new WebSocket(
      `ws+unix://${path}:/v1.41/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`,
    );
    const closed = once(socket, 'close');
    let text = '';
    socket.on('message', (data: Buffer) => (text += data.toString()));
    await within(once(socket, 'open'), 'the websocket');
    socket.send('ws\n');
    await until(() => text.includes('got ws\n'), { what: 'the answer' });
    await within(closed, 'the close');
  });
});
