import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyHostConfig, type HostConfig } from '#spec';
import { mergeUpdate } from './update.ts';

const merge = (old: Partial<HostConfig>, changes: Partial<HostConfig>): HostConfig =>
  mergeUpdate(emptyHostConfig(old), emptyHostConfig(changes));

test('mergeUpdate changes what is given and leaves the rest', () => {
  const old = { Memory: 10, MemorySwap: 20, CpuShares: 5, PidsLimit: 7, BlkioDeviceReadBps: [{ Path: '/a', Rate: 1 }] };
  assert.deepEqual(merge(old, {}), emptyHostConfig(old));
  const merged = merge(old, { Memory: 15, PidsLimit: 0, BlkioDeviceReadBps: [], ShmSize: 99, Privileged: true });
  assert.deepEqual(merged, emptyHostConfig({ ...old, Memory: 15, PidsLimit: 0, BlkioDeviceReadBps: [] }));
});

test('mergeUpdate refuses contradictions of old and new', () => {
  assert.throws(() => merge({ CpuPeriod: 1000 }, { NanoCpus: 1 }), /Nano CPUs cannot be updated as CPU Period/);
  assert.throws(() => merge({ NanoCpus: 1 }, { CpuQuota: 1 }), /CPU Quota cannot be updated as NanoCPUs/);
  assert.throws(() => merge({ MemorySwap: 10 }, { Memory: 11 }), {
    kind: 'conflict',
    message: /already set memoryswap/,
  });
  const always = { Name: 'always', MaximumRetryCount: 0 };
  assert.throws(() => merge({ AutoRemove: true }, { RestartPolicy: always }), /AutoRemove is enabled/);
  const no = { Name: 'no', MaximumRetryCount: 0 };
  assert.deepEqual(merge({ AutoRemove: true, RestartPolicy: always }, { RestartPolicy: no }).RestartPolicy, no);
});
