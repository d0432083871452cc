import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageSource } from './message-source.ts';

test('MessageSource gives chunks in order and says when each is used up', async () => {
  const consumed: number[] = [];
  const source = new MessageSource((bytes) => consumed.push(bytes));
  source.push(Buffer.from('ab'));
  const read: string[] = [];
  const reading = (async () => {
    for await (const chunk of source) read.push(chunk.toString());
  })();
  await new Promise(setImmediate);
  assert.deepEqual([read, consumed], [['ab'], [2]]);
  source.push(Buffer.from('c'));
  source.end(false);
  await reading;
  assert.deepEqual(
    [read, consumed],
    [
      ['ab', 'c'],
      [2, 1],
    ],
  );
});

test('MessageSource fails its reader when broken off, also one that waits', async () => {
  const source = new MessageSource(() => undefined);
  const waiting = source[Symbol.asyncIterator]().next();
  source.end(true);
  await assert.rejects(waiting, /broke off/);
});
