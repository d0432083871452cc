import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTimes, makeDevice, splitDevice } from './nodes.ts';

test('makeDevice and splitDevice agree with the kernel layout', () => {
  assert.equal(makeDevice(1, 3), 0x103n);
  assert.equal(makeDevice(259, 0x12345), 0x12310345n);
  for (const [major, minor] of [
    [0, 0],
    [8, 17],
    [0xfff, 0xfffff],
    [0x12345, 0xfffffff],
  ] as const) {
    assert.deepEqual(splitDevice(makeDevice(major, minor)), { major, minor });
  }
});

test('encodeTimes floors towards the past and can leave a time alone', () => {
  const encoded = encodeTimes({ modifyTimeNs: -1n });
  assert.equal(encoded.readBigInt64LE(8), 0x3ffffffen);
  assert.equal(encoded.readBigInt64LE(16), -1n);
  assert.equal(encoded.readBigInt64LE(24), 999_999_999n);
});
