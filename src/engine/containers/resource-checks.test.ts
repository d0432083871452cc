import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allCgroupFeatures, type CgroupFeatures } from '#runtime';
import { emptyHostConfig, type HostConfig } from '#spec';
import { parseCpuList } from './cpu-list.ts';
import { checkResources } from './resource-checks.ts';

const MB = 1024 * 1024;

function check(
  own: Partial<HostConfig>,
  features: Partial<CgroupFeatures> = {},
  update = false,
): [HostConfig, string[]] {
  const host = emptyHostConfig(own);
  return [host, checkResources(host, allCgroupFeatures(1, features), update)];
}

test('checkResources leaves alone what the host can do', () => {
  const own = { Memory: 64 * MB, MemorySwap: 128 * MB, MemorySwappiness: 20, BlkioWeight: 300, CpusetCpus: '0,2-3' };
  const [host, warnings] = check(own);
  assert.deepEqual(warnings, []);
  assert.deepEqual(host, emptyHostConfig(own));
});

test('checkResources takes out what the host lacks, with a warning for each', () => {
  const [host, warnings] = check(
    {
      Memory: 64 * MB,
      MemorySwap: 128 * MB,
      MemorySwappiness: 20,
      OomKillDisable: true,
      PidsLimit: 5,
      BlkioWeight: 3,
      BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 1 }],
    },
    { swapLimit: false, swappiness: false, oomKillDisable: false, pidsLimit: false, ioWeight: false, readBps: false },
  );
  assert.equal(warnings.length, 6);
  assert.match(warnings[0] ?? '', /^Your kernel does not support swap limit .* Memory limited without swap\.$/);
  assert.deepEqual(host, emptyHostConfig({ Memory: 64 * MB, MemorySwap: -1, BlkioDeviceReadBps: [] }));
});

test('checkResources refuses what cannot be, with the texts of Docker', () => {
  const refused: [Partial<HostConfig>, RegExp][] = [
    [{ Memory: 1 }, /^Minimum memory limit allowed is 6MB$/],
    [{ Memory: 64 * MB, MemorySwap: 32 * MB }, /Minimum memoryswap limit should be larger/],
    [{ MemorySwap: 32 * MB }, /always set the Memory limit when using Memoryswap/],
    [{ MemoryReservation: 100 }, /Minimum memory reservation allowed is 6MB/],
    [{ Memory: 8 * MB, MemoryReservation: 9 * MB }, /can not be less than memory reservation/],
    [{ MemorySwappiness: 101 }, /^Invalid value: 101, valid memory swappiness range is 0-100$/],
    [{ NanoCpus: 1e9, CpuQuota: 5000 }, /Nano CPUs and CPU Quota cannot both be set/],
    [{ CpuPeriod: 500 }, /CPU cfs period can not be less than 1ms/],
    [{ CpuQuota: 500 }, /CPU cfs quota can not be less than 1ms/],
    [{ CpusetCpus: '0-9' }, /^Requested CPUs are not available - requested 0-9, available: 0-3$/],
    [{ CpusetCpus: 'x' }, /^Invalid value x for cpuset cpus: invalid format: x$/],
    [{ CpusetMems: '7' }, /^Requested memory nodes are not available - requested 7, available: 0$/],
    [{ BlkioWeight: 5 }, /Range of blkio weight is from 10 to 1000/],
    [{ IOMaximumIOps: 5 }, /Invalid QoS settings/],
  ];
  for (const [own, message] of refused) assert.throws(() => check(own), { message, kind: 'invalidArgument' });
  assert.doesNotThrow(() => check({ MemorySwap: 32 * MB }, {}, true), 'an update may change the swap alone');
  assert.deepEqual(check({ MemorySwappiness: -1 })[0].MemorySwappiness, null);
});

test('parseCpuList reads lists and ranges, and no endless ones', () => {
  assert.deepEqual([...parseCpuList('0-2,5')], [0, 1, 2, 5]);
  assert.equal(parseCpuList('').size, 0);
  for (const bad of ['3-1', 'a', '0-', '0-999999999', ',']) assert.throws(() => parseCpuList(bad), /invalid format/);
});
