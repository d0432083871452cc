import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRlimits } from './rlimits.ts';

const host = { nofile: { soft: 1024, hard: 4096 }, memlock: { soft: 8, hard: 8 } };

test('buildRlimits cuts the unlimited to what can be had, and refuses a number beyond it', () => {
  const nofile = { Name: 'nofile', Soft: 5000, Hard: -1 };
  assert.throws(() => buildRlimits([nofile], host, false), /ulimit nofile: 5000 is above the hard limit .* 4096/);
  assert.deepEqual(buildRlimits([{ ...nofile, Soft: -1 }], host, false), [
    { type: 'RLIMIT_NOFILE', soft: 4096, hard: 4096 },
  ]);
  assert.deepEqual(buildRlimits([{ Name: 'memlock', Soft: -1, Hard: -1 }], host, true), [
    { type: 'RLIMIT_MEMLOCK', soft: Infinity, hard: Infinity },
  ]);
  assert.deepEqual(buildRlimits([{ Name: 'NOFILE', Soft: 5000, Hard: 6000 }], host, true), [
    { type: 'RLIMIT_NOFILE', soft: 5000, hard: 6000 },
  ]);
});
