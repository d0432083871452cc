import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';

/** Runs a scenario in a worker with a host namespace of its own, where firewalls can be set up at will. */
async function runScenario(): Promise<unknown> {
  const worker = new Worker(new URL('./foreign-firewall-worker.ts', import.meta.url));
  const result = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  return result;
}

test('containers get out past a dropping FORWARD chain of iptables, also after it was set up later or ours was flushed', async () => {
  assert.deepEqual(await runScenario(), {
    beside: true,
    dropped: false,
    addedLater: true,
    flushed: true,
    left: 0,
  });
});
