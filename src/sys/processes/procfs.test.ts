import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessStat, parseProcessStatus } from './procfs.ts';
import { decodeWaitStatus } from './signals.ts';

test('parseProcessStat finds the fields behind a command with spaces and parentheses', () => {
  const stat = parseProcessStat(
    '42 (a) S (b) S 1 42 40 0 -1 4194560 1 2 3 4 11 22 0 0 20 0 3 0 98765 1048576 256 18446744073709551615 1 1',
  );
  assert.deepEqual(stat, {
    pid: 42,
    command: 'a) S (b',
    state: 'S',
    parentPid: 1,
    processGroup: 42,
    session: 40,
    userTicks: 11,
    systemTicks: 22,
    threads: 3,
    startTicks: 98765,
    virtualBytes: 1048576,
    residentPages: 256,
  });
});

test('parseProcessStatus keeps values with tabs and colons whole', () => {
  const status = parseProcessStatus('Name:\tx:y\nUid:\t0\t0\t0\t0\n');
  assert.equal(status.get('Name'), 'x:y');
  assert.equal(status.get('Uid'), '0\t0\t0\t0');
});

test('decodeWaitStatus tells exits from signals', () => {
  assert.deepEqual(decodeWaitStatus(3 << 8), { exitCode: 3 });
  assert.deepEqual(decodeWaitStatus(9 | 0x80), { signal: 9 });
});
