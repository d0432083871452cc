import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCgroupFeatures } from '#runtime';
import { hostWarnings } from './host-warnings.ts';

test('hostWarnings names what is missing and could be there', () => {
  assert.deepEqual(hostWarnings(allCgroupFeatures(2), true), []);
  assert.deepEqual(hostWarnings(allCgroupFeatures(1, { ioWeight: false, ioWeightDevice: false }), true), []);
  assert.deepEqual(hostWarnings(allCgroupFeatures(2, { swapLimit: false, readBps: false }), false), [
    'WARNING: No swap limit support',
    'WARNING: No io.max (rbps) support',
    'WARNING: IPv4 forwarding is disabled',
  ]);
});
