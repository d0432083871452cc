import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedMutex } from './keyed-mutex.ts';

test('KeyedMutex.run serves waiters of one key in order and keys independently', async () => {
  const mutex = new KeyedMutex();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = mutex.run('a', async () => {
    await gate.promise;
    order.push('a1');
  });
  const second = mutex.run('a', () => order.push('a2'));
  await mutex.run('b', () => order.push('b'));
  gate.resolve();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['b', 'a1', 'a2']);
});

test('KeyedMutex.lock gives up its place when the signal aborts', async () => {
  const mutex = new KeyedMutex();
  const held = await mutex.lock('a');
  const controller = new AbortController();
  const waiting = mutex.lock('a', controller.signal);
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  held[Symbol.dispose]();
  (await mutex.lock('a'))[Symbol.dispose]();
});
