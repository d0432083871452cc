import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomHex } from '#lib';
import type { PreparedExec } from '#monitor';
import { parseExecId, type ExecId } from '#spec';
import { PreparedExecs, type PreparedFor } from './prepared-execs.ts';

const plain = { Tty: false, AttachStdin: false };
const purpose: PreparedFor = { containerId: 'c', pid: 7, request: plain };
const newId = (): ExecId => parseExecId(randomHex(32));

interface Opened {
  exec: PreparedExec;
  withdrawn: number;
}

function open(): Opened {
  const opened: Opened = {
    withdrawn: 0,
    exec: {
      start: () => Promise.reject(new Error('not here')),
      withdraw: () => {
        opened.withdrawn += 1;
        return Promise.resolve();
      },
    },
  };
  return opened;
}

test('PreparedExecs hands out what was prepared, once, and nothing of an earlier run of the container', async (t) => {
  const gone: ExecId[] = [];
  const execs = new PreparedExecs((id) => gone.push(id));
  t.after(() => execs.close());
  const [kept, stale] = [newId(), newId()];
  const [first, second] = [open(), open()];
  execs.add(kept, purpose, { spare: false }, () => first.exec);
  execs.add(stale, purpose, { spare: false }, () => second.exec);
  assert.equal(execs.take(kept, 7), first.exec);
  assert.equal(execs.take(kept, 7), undefined);
  assert.equal(execs.take(stale, 8), undefined);
  await Promise.resolve();
  assert.deepEqual([first.withdrawn, second.withdrawn, gone], [0, 1, [stale]]);
});

test('PreparedExecs keeps a bounded number and one to spare for each kind of exec', (t) => {
  const execs = new PreparedExecs(() => undefined);
  t.after(() => execs.close());
  const spare = newId();
  let opened = 0;
  const counted = (): PreparedExec => {
    opened += 1;
    return open().exec;
  };
  execs.add(spare, purpose, { spare: true }, counted);
  execs.add(newId(), purpose, { spare: true }, counted);
  assert.equal(opened, 1);
  assert.equal(execs.reserve({ ...purpose, request: { ...plain, Tty: true } }), undefined);
  assert.equal(execs.reserve(purpose), spare);
  assert.equal(execs.reserve(purpose), undefined);
  for (let more = 0; more < 20; more++) execs.add(newId(), purpose, { spare: false }, counted);
  assert.equal(opened, 8);
  execs.withdrawOf('c');
  assert.equal(execs.take(spare, 7), undefined);
});

test('PreparedExecs are closed when the last one is gone, and was told of', async () => {
  const gone: ExecId[] = [];
  const execs = new PreparedExecs((id) => gone.push(id));
  const slow = Promise.withResolvers<void>();
  const [first, second] = [newId(), newId()];
  for (const id of [first, second]) {
    execs.add(id, purpose, { spare: false }, () => ({ ...open().exec, withdraw: () => slow.promise }));
  }
  execs.withdraw(first);
  const closed = execs.close().then(() => gone.length);
  slow.resolve();
  assert.equal(await closed, 2);
});
