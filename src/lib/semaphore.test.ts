import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semaphore } from './semaphore.ts';

test('Semaphore.run keeps to its limit and passes the place on after a failure', async () => {
  const semaphore = new Semaphore(2);
  let running = 0;
  let most = 0;
  const work = async (fails: boolean): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    if (fails) throw new Error('failed');
  };
  const results = await Promise.allSettled(
    [true, false, true, false, false].map((fails) => semaphore.run(() => work(fails))),
  );
  assert.equal(most, 2);
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 3);
});
