import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContainerStats, statsRow } from './stats-rows.ts';

const running: ContainerStats = {
  id: 'ab'.repeat(32),
  name: '/web',
  cpu_stats: { cpu_usage: { total_usage: 3e9 }, system_cpu_usage: 40e9, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 1e9 }, system_cpu_usage: 30e9 },
  memory_stats: { usage: 3 * 1024 ** 2, limit: 1024 ** 3, stats: { total_inactive_file: 1024 ** 2, inactive_file: 5 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 4096 },
      { op: 'write', value: 1e6 },
      { op: 'Total', value: 9 },
    ],
  },
  networks: { eth0: { rx_bytes: 1000, tx_bytes: 20 }, eth1: { rx_bytes: 500, tx_bytes: 0 } },
  pids_stats: { current: 7 },
};

function cells(stats: ContainerStats, valid: boolean): Record<string, string> {
  const { columns } = statsRow({ container: 'web', stats, valid }, true);
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, value() as string]));
}

test('statsRow shows figures as Docker does', () => {
  assert.deepEqual(cells(running, true), {
    BlockIO: '4.1kB / 1MB',
    CPUPerc: '40.00%',
    Container: 'web',
    ID: 'abababababab',
    MemPerc: '0.20%',
    MemUsage: '2MiB / 1GiB',
    Name: 'web',
    NetIO: '1.5kB / 20B',
    PIDs: '7',
  });
});

test('statsRow takes the inactive files of cgroup v2 off the memory', () => {
  const memory = { usage: 3 * 1024 ** 2, limit: 1024 ** 3, stats: { inactive_file: 1024 ** 2 } };
  assert.equal(cells({ ...running, memory_stats: memory }, true)['MemUsage'], '2MiB / 1GiB');
});

test('statsRow shows dashes where there is nothing', () => {
  const row = cells({}, false);
  assert.deepEqual([row['Name'], row['MemUsage'], row['CPUPerc'], row['PIDs']], ['--', '-- / --', '--', '--']);
});
