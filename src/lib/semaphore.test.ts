import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from './semaphore.ts';

test('Semaphore lets in as many as there is room for, in order', async () => {
  const semaphore = new Semaphore(2);
  const gates = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const runs = gates.map((gate, index) =>
    semaphore.run(async () => {
      begun.push(index);
      await gate.promise;
    }),
  );
  await new Promise(setImmediate);
  assert.deepEqual([begun, semaphore.isFull], [[0, 1], true]);
  gates[1]?.resolve();
  await runs[1];
  await new Promise(setImmediate);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(runs);
  assert.equal(semaphore.isFull, false);
});

test('Semaphore.run stops waiting when its signal aborts, and keeps the others in order', async () => {
  const semaphore = new Semaphore(1);
  const gate = Promise.withResolvers<void>();
  const first = semaphore.run(() => gate.promise);
  const stop = new AbortController();
  const given = semaphore.run(() => assert.fail('it was given up'), stop.signal);
  const last = semaphore.run(() => 'last');
  stop.abort(new Error('enough'));
  await assert.rejects(given, { message: 'enough' });
  gate.resolve();
  await first;
  assert.equal(await last, 'last');
});
