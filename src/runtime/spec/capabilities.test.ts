import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilitiesOfMask, defaultCapabilities, resolveCapabilities } from './capabilities.ts';

const available = capabilitiesOfMask(0x1fffeffffffn);
const resolve = (add: string[], drop: string[], privileged = false): string[] =>
  resolveCapabilities({ add, drop, privileged, available });

test('resolveCapabilities adds to and drops from the defaults, names in any form', () => {
  assert.deepEqual(resolve([], []), [...defaultCapabilities]);
  assert.deepEqual(resolve(['net_admin', 'CAP_CHOWN'], ['mknod']), [
    ...defaultCapabilities.filter((name) => name !== 'CAP_MKNOD'),
    'CAP_NET_ADMIN',
  ]);
});

test('resolveCapabilities knows ALL on either side', () => {
  assert.deepEqual(
    resolve(['ALL'], ['SYS_ADMIN']),
    available.filter((name) => name !== 'CAP_SYS_ADMIN'),
  );
  assert.deepEqual(resolve(['KILL'], ['ALL']), ['CAP_KILL']);
  assert.deepEqual(resolve([], ['ALL']), []);
  assert.deepEqual(resolve([], ['ALL'], true), available);
});

test('resolveCapabilities refuses what does not exist or what this host lacks', () => {
  assert.throws(() => resolve(['nope'], []), { kind: 'invalidArgument', message: 'unknown capability: "CAP_NOPE"' });
  assert.throws(() => resolve(['SYS_RESOURCE'], []), /not available in the current environment: "CAP_SYS_RESOURCE"/);
});
