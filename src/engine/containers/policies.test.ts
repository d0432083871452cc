import assert from 'node:assert/strict';
import { test } from 'node:test';
import { someContainer } from './testing.ts';
import { compileFilter } from './list-filter.ts';
import { generateName, checkName } from './names.ts';
import { countQuickExits, restartDelayMs, shouldRestart } from './restart-policy.ts';
import { toStartFailure } from './start-error.ts';
import { selectRows } from './top.ts';
import { statusText, toInspect } from './wire.ts';

const ending = { exitCode: 3, restartCount: 2, stoppedByUser: false };

test('shouldRestart follows the policies', () => {
  assert.equal(shouldRestart({ Name: 'no', MaximumRetryCount: 0 }, ending), false);
  assert.equal(shouldRestart({ Name: 'always', MaximumRetryCount: 0 }, ending), true);
  assert.equal(shouldRestart({ Name: 'always', MaximumRetryCount: 0 }, { ...ending, stoppedByUser: true }), false);
  assert.equal(shouldRestart({ Name: 'on-failure', MaximumRetryCount: 2 }, ending), false);
  assert.equal(shouldRestart({ Name: 'on-failure', MaximumRetryCount: 3 }, ending), true);
  assert.equal(shouldRestart({ Name: 'on-failure', MaximumRetryCount: 0 }, { ...ending, exitCode: 0 }), false);
});

test('the restart delay doubles to a minute and starts over after a healthy run', () => {
  assert.deepEqual([1, 2, 3, 12].map(restartDelayMs), [100, 200, 400, 60_000]);
  assert.equal(countQuickExits(5, 10_000), 0);
  assert.equal(countQuickExits(5, 9_999), 6);
});

test('compileFilter: any value of a key, every key, all labels', async () => {
  const context = { find: () => undefined, imageId: () => Promise.resolve(undefined) };
  const web = someContainer('a', { name: 'web' });
  const matches = async (filters: Record<string, string[]>): Promise<boolean> =>
    (await compileFilter(new Map(Object.entries(filters)), context))(web);
  assert.equal(await matches({ name: ['^w', 'x'] }), true);
  assert.equal(await matches({ name: ['^/web$'] }), true);
  assert.equal(await matches({ name: ['web'], status: ['running'] }), false);
  assert.equal(await matches({ status: ['running', 'created'] }), true);
  await assert.rejects(matches({ status: ['gone'] }), /invalid filter 'status=gone'/);
  await assert.rejects(matches({ colour: ['red'] }), /invalid filter 'colour'/);
  await assert.rejects(matches({ before: ['nobody'] }), /No such container: nobody/);
});

test('checkName refuses what Docker refuses; generateName skips what is taken', () => {
  assert.equal(checkName('/web_1'), 'web_1');
  for (const bad of ['a', '-web', 'we b', 'web/1']) assert.throws(() => checkName(bad), /Invalid container name/);
  const taken = new Set<string>();
  for (let i = 0; i < 300; i++) taken.add(generateName((name) => taken.has(name)));
  assert.equal(taken.size, 300);
});

test('toStartFailure gives the texts from which clients derive 126 and 127', () => {
  const missing = toStartFailure(
    new Error('executable file `nosuch` not found in $PATH: No such file or directory'),
    'nosuch',
  );
  assert.equal(missing.exitCode, 127);
  assert.match(missing.error.message, /exec: "nosuch": executable file not found in \$PATH/);
  const denied = toStartFailure(new Error('open executable: Permission denied'), '/etc');
  assert.equal(denied.exitCode, 126);
  assert.match(denied.error.message, /exec: "\/etc": permission denied/);
  // crun 1.21 (Debian 13) says it so.
  const newer = toStartFailure(new Error('the path `/etc` is not a regular file: Operation not permitted'), '/etc');
  assert.equal(newer.exitCode, 126);
});

test('selectRows keeps the spaces of the last column', () => {
  const output =
    'UID PID PPID C STIME TTY TIME CMD\nroot 7 1 0 10:00 ? 00:00:00 sleep 10  20\nroot 8 1 0 10:00 ? 00:00:00 sh\n';
  assert.deepEqual(selectRows(output, new Set([7])).Processes, [
    ['root', '7', '1', '0', '10:00', '?', '00:00:00', 'sleep 10 20'],
  ]);
});

test('a created container shows zero times and never null ports', () => {
  const inspect = toInspect(someContainer('b', {}), {
    directory: '/d',
    logPath: '/d/log',
    execIds: null,
    graphDriverData: {},
  });
  assert.equal(inspect.State.StartedAt, '0001-01-01T00:00:00Z');
  assert.deepEqual(inspect.NetworkSettings.Ports, {});
  assert.deepEqual(Object.keys(inspect.NetworkSettings.Networks), ['bridge']);
  const exited = someContainer('c', {
    phase: {
      status: 'exited',
      exitCode: 137,
      startedAt: '2024-01-01T00:00:00Z',
      finishedAt: '2024-01-01T00:00:00Z',
      oomKilled: false,
      error: '',
    },
  });
  assert.equal(statusText(exited, Date.parse('2024-01-01T00:05:00Z')), 'Exited (137) 5 minutes ago');
});
