import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toReading } from './cgroup-reading.ts';

test('toReading sends no number beyond 64 bits, which Go clients could not read', () => {
  const reading = toReading({
    version: 1,
    cpu: undefined,
    memory: undefined,
    pids: { current: 3, limit: undefined },
    io: undefined,
  });
  assert.deepEqual(reading?.pidsStats, { current: 3 });
});
