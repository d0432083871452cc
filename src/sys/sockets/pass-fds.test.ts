import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRights, encodeRights } from './pass-fds.ts';

test('encodeRights pads to eight bytes and decodeRights reads it back', () => {
  for (const fds of [[3], [3, 4], [5, 6, 7]]) {
    const control = encodeRights(fds);
    assert.equal(control.length % 8, 0);
    assert.deepEqual(decodeRights(control), fds);
  }
});

test('decodeRights stops at a broken header', () => {
  assert.deepEqual(decodeRights(Buffer.alloc(16)), []);
  assert.deepEqual(decodeRights(encodeRights([1, 2]).subarray(0, 20)), []);
});
