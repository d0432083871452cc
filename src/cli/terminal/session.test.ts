import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { ApiClient, type HijackedStream } from '#client';
import { processIo, type CliIo } from '../io.ts';
import { checkTty, type SessionOptions, startSession } from './session.ts';

const scratch = mkdtempSync(join(tmpdir(), 'session-test-'));
const socketPath = join(scratch, 'daemon.sock');
let server: Server;
let client: ApiClient;
/** The daemon's side of the stream hijacked last, and what came in on it. */
let peer: Socket;
let received = '';

before(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    peer = socket;
    received = '';
    let head = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (head.includes('\r\n\r\n')) received += chunk.toString('latin1');
      else head += chunk.toString('latin1');
      if (socket.writableLength === 0 && head.includes('\r\n\r\n') && !head.endsWith('answered')) {
        head += 'answered';
        socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  client = new ApiClient({ host: `unix://${socketPath}`, apiVersion: '1.51' });
});

after(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

function hijack(): Promise<HijackedStream> {
  return client.hijack({ method: 'POST', path: '/containers/x/attach' });
}

function fakeIo(stdin: PassThrough): CliIo {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sessions only read it as a stream */
  return { ...processIo, stdin: stdin as unknown as NodeJS.ReadStream, isTerminal: () => false };
}

const inputOnly: SessionOptions = { stdin: true, stdout: false, stderr: false, tty: false, detachKeys: '' };

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 2) {
    assert.ok(waitedMs < 2000, `waited for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('startSession sends input and passes its end on, without ending the stream', async () => {
  const stdin = new PassThrough();
  const session = startSession(fakeIo(stdin), await hijack(), inputOnly);
  const ended = new Promise((resolve) => peer.once('end', resolve));
  stdin.write('abc');
  stdin.end('def');
  assert.equal(await session.ended, 'closed');
  await ended;
  assert.equal(received, 'abcdef');
  assert.ok(peer.writable);
  session.stop();
});

test('startSession stops at the detach keys and keeps them to itself', async () => {
  const stdin = new PassThrough();
  const options = { ...inputOnly, stdout: true, tty: true, detachKeys: 'ctrl-a,d' };
  const session = startSession(fakeIo(stdin), await hijack(), options);
  stdin.write('x\x01y');
  await until(() => received === 'x\x01y', 'the beginning that led nowhere');
  stdin.write('\x01');
  stdin.write('d');
  assert.equal(await session.ended, 'detached');
  assert.equal(received, 'x\x01y');
  session.stop();
});

test('startSession ends with the output', async () => {
  const options = { ...inputOnly, stdin: false, stdout: true };
  const stream = await hijack();
  const session = startSession(fakeIo(new PassThrough()), stream, options);
  peer.end();
  assert.equal(await session.ended, 'closed');
  session.stop();
});

test('startSession refuses wrong detach keys before it touches anything', async () => {
  const stream = await hijack();
  const options = { ...inputOnly, tty: true, detachKeys: 'ctrl-A' };
  assert.throws(() => startSession(fakeIo(new PassThrough()), stream, options), { message: /^invalid detach keys/ });
  stream.destroy();
});

test('checkTty wants a terminal only where keys go to one', () => {
  const io = fakeIo(new PassThrough());
  assert.throws(() => checkTty(io, true, true), { message: 'the input device is not a TTY' });
  checkTty(io, false, true);
  checkTty(io, true, false);
});
