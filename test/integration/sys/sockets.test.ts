import assert from 'node:assert/strict';
import { closeSync, mkdirSync, readFileSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { POLL } from '#sys';
import { createScratch } from './scratch.ts';

test('seqpacket sockets keep packets apart and tell the end', () => {
  using scratch = createScratch();
  const { sockets } = scratch.sys;
  const path = join(scratch.path, 'socket');
  const listener = sockets.listenSeqpacket(path);
  assert.equal(sockets.accept(listener), undefined);
  const client = sockets.connectSeqpacket(path);
  const server = sockets.accept(listener);
  assert.ok(server !== undefined);
  const into = Buffer.alloc(64);
  assert.equal(sockets.receive(server, into), undefined);
  assert.equal(sockets.send(client, Buffer.from('one')), 3);
  sockets.send(client, Buffer.from('three'));
  assert.deepEqual(sockets.poll([{ fd: server, events: POLL.IN }], 0), [POLL.IN]);
  assert.equal(sockets.receive(server, into), 3);
  assert.equal(sockets.receive(server, into), 5);
  assert.equal(into.toString('utf8', 0, 5), 'three');
  sockets.shutdown(client, 'write');
  assert.equal(sockets.receive(server, into), 0);
  closeSync(client);
  assert.throws(() => sockets.send(server, Buffer.from('x')), { code: 'SYS_EPIPE', kind: 'unavailable' });
  closeSync(server);
  closeSync(listener);
});

test('seqpacket sockets take paths beyond the 108 bytes of an address', () => {
  using scratch = createScratch();
  const { sockets } = scratch.sys;
  const directory = join(scratch.path, 'd'.repeat(200));
  mkdirSync(directory);
  const path = join(directory, 's'.repeat(80));
  const listener = sockets.listenSeqpacket(path);
  const client = sockets.connectSeqpacket(path);
  closeSync(client);
  closeSync(listener);
  assert.throws(() => sockets.connectSeqpacket(path), { code: 'SYS_ECONNREFUSED', message: new RegExp(path) });
});

test('sendWithFds hands over open files', () => {
  using scratch = createScratch();
  const { sockets } = scratch.sys;
  const [left, right] = sockets.seqpacketPair();
  const file = join(scratch.path, 'file');
  writeFileSync(file, 'content');
  const sent = [openSync(file, 'r'), openSync(file, 'r'), openSync(file, 'r')];
  sockets.sendWithFds(left, Buffer.from('m'), sent);
  const into = Buffer.alloc(8);
  const received = sockets.receiveWithFds(right, into, 4);
  assert.equal(received?.bytes, 1);
  assert.equal(received.fds.length, 3);
  assert.equal(readFileSync(received.fds[2] ?? -1, 'utf8'), 'content');
  for (const fd of received.fds) closeSync(fd);
  sockets.sendWithFds(left, Buffer.from('m'), sent);
  assert.throws(() => sockets.receiveWithFds(right, into, 2), { code: 'SYS_EMSGSIZE' });
  for (const fd of [...sent, left, right]) closeSync(fd);
});

test('watchFd calls back from the event loop until closed', async () => {
  using scratch = createScratch();
  const { sockets } = scratch.sys;
  const [left, right] = sockets.seqpacketPair();
  const ready = Promise.withResolvers<boolean>();
  const watch = sockets.watchFd(right, { readable: true }, (events) => ready.resolve(events.readable));
  sockets.send(left, Buffer.from('m'));
  assert.equal(await ready.promise, true);
  let calls = 0;
  const quiet = Promise.withResolvers<void>();
  watch.close();
  const second = sockets.watchFd(right, { readable: true }, () => {
    calls++;
    second.update({});
    setTimeout(() => quiet.resolve(), 20);
  });
  await quiet.promise;
  assert.equal(calls, 1);
  second.close();
  second.close();
  closeSync(left);
  closeSync(right);
});
