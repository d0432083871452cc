import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LogRotator, planRemovals } from './log-rotator.ts';

let directory = '';
let control = -1;
let rotator = new LogRotator();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-rotate-'));
  execFileSync('mkfifo', [join(directory, 'ctl')]);
  control = openSync(join(directory, 'ctl'), constants.O_RDWR | constants.O_NONBLOCK);
  rotator = new LogRotator();
  rotator.add('c1', { directory, logPath: join(directory, 'log'), maxSizeBytes: 10, maxFiles: 3 });
});
afterEach(() => {
  rotator.remove('c1');
  closeSync(control);
  rmSync(directory, { recursive: true });
});

function messages(): string {
  const buffer = Buffer.alloc(100);
  try {
    return buffer.toString('latin1', 0, readSync(control, buffer));
  } catch {
    return '';
  }
}
/** What conmon does on a reopen message. */
function reopen(content: string): void {
  rmSync(join(directory, 'log'));
  writeFileSync(join(directory, 'log'), content);
}
const logs = (): string[] => readdirSync(directory).filter((name) => name.startsWith('log'));

test('LogRotator leaves a log within its limit alone', async () => {
  writeFileSync(join(directory, 'log'), 'short');
  await rotator.check();
  assert.deepEqual(logs(), ['log']);
  assert.equal(messages(), '');
});

test('LogRotator asks once per file and keeps as many files as allowed', async () => {
  for (let round = 0; round < 4; round++) {
    reopenOrCreate(round);
    await rotator.check();
    await rotator.check();
    assert.equal(messages(), '2 0 0\n');
  }
  assert.deepEqual(logs(), ['log', 'log.1', 'log.2']);
});

function reopenOrCreate(round: number): void {
  if (round === 0) writeFileSync(join(directory, 'log'), 'x'.repeat(11));
  else reopen('x'.repeat(11));
}

test('planRemovals keeps what a late reader needs, up to its bound', () => {
  const rotated = [1, 2, 3, 4].map((number) => ({ number, inode: BigInt(number), size: 10 }));
  const plan = (readingInode: bigint | undefined, maxUnreadBytes: number): ReturnType<typeof planRemovals> =>
    planRemovals(rotated, {
      maxFiles: 3,
      reader: { readingInode: () => readingInode, maxUnreadBytes, onDropped: () => undefined },
    });
  assert.deepEqual(planRemovals(rotated, { maxFiles: 3 }), { remove: [2, 3, 4], droppedBytes: 0 });
  assert.deepEqual(plan(9n, 100), { remove: [2, 3, 4], droppedBytes: 0 }, 'it reads the current file');
  assert.deepEqual(plan(3n, 100), { remove: [4], droppedBytes: 0 });
  assert.deepEqual(plan(undefined, 100), { remove: [], droppedBytes: 0 });
  assert.deepEqual(plan(4n, 25), { remove: [3, 4], droppedBytes: 20 });
});
