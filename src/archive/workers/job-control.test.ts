import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { JobControl } from './job-control.ts';

test('JobControl gives credit until it is used up, and none once cancelled', () => {
  const control = new JobControl();
  control.grant(10);
  assert.equal(control.takeCredit(30), true);
  control.grant(21);
  assert.equal(control.takeCredit(1), true);
  control.cancel();
  assert.equal(new JobControl(control.cells).cancelled, true);
  assert.equal(control.takeCredit(1), false);
});

test('JobControl wakes a thread that waits for credit', async (t) => {
  const control = new JobControl();
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ JobControl }) => {
      const control = new JobControl(workerData.cells);
      parentPort.postMessage('waiting');
      parentPort.postMessage(control.takeCredit(5));
      parentPort.postMessage(control.takeCredit(5));
    });`;
  const module = new URL('./job-control.ts', import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: { module, cells: control.cells } });
  t.after(() => worker.terminate());
  const answers: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    worker.on('message', (message) => {
      answers.push(message);
      if (answers.length === 1) control.grant(5);
      if (answers.length === 2) control.cancel();
      if (answers.length === 3) resolve();
    });
  });
  await done;
  assert.deepEqual(answers, ['waiting', true, false]);
});
