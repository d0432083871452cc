import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#errors';
import type { ProgressLine } from '#spec';
import { progressBar, reportProgress } from './progress.ts';

const { signal } = new AbortController();

test('progressBar draws as Docker does', () => {
  assert.equal(progressBar(0, 100), `[>${' '.repeat(50)}]       0B/100B`);
  assert.equal(progressBar(2_129_920, 2_129_920), `[${'='.repeat(50)}>]   2.13MB/2.13MB`);
  assert.equal(progressBar(901_632, 900_000), `[${'='.repeat(50)}>]  901.6kB`);
  assert.match(progressBar(50, 100), /^\[={25}>/);
});

test('reportProgress throws a failure before the first line and appends a later one', async () => {
  const failure = new EngineError('invalidArgument', 'X', 'broken');
  await assert.rejects(Array.fromAsync(reportProgress(() => Promise.reject(failure), signal)), { message: 'broken' });
  const lines = await Array.fromAsync(
    reportProgress(async (report) => {
      report({ stream: 'one' });
      await Promise.resolve();
      throw failure;
    }, signal),
  );
  assert.deepEqual(lines, [{ stream: 'one' }, { errorDetail: { message: 'broken' }, error: 'broken' }]);
});

test('reportProgress stops the work when its reader goes away', async () => {
  let stopped = false;
  const work = async (report: (line: ProgressLine) => void, inner: AbortSignal): Promise<void> => {
    report({ stream: 'one' });
    await new Promise<void>((resolve) => inner.addEventListener('abort', () => resolve(), { once: true }));
    stopped = true;
  };
  for await (const _line of reportProgress(work, signal)) break;
  assert.ok(stopped);
});
