import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMountInfo } from '../mounts/mountinfo.ts';
import { cgroupPaths, layoutFromMounts } from './layout.ts';
import { parseBlkioV1, parseIoStat, parseKeyValues, parseLimit, parseProcessCgroups } from './parse.ts';
import { cpuStatsV1, cpuStatsV2, memoryStatsV1, memoryStatsV2, parseSystemCpu, pidsStats } from './stats.ts';

function files(contents: Record<string, string>): (name: string) => string | undefined {
  return (name) => contents[name];
}

test('layoutFromMounts tells v1, hybrid and v2 apart', () => {
  const v1 = '30 1 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n';
  const named = '31 1 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n';
  const v2 = '32 1 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n';
  assert.equal(layoutFromMounts(parseMountInfo(v1), () => '').mode, 'v1');
  const hybrid = layoutFromMounts(parseMountInfo(v1 + named + v2), () => '');
  assert.equal(hybrid.mode, 'hybrid');
  assert.deepEqual(hybrid.controllers, ['cpu', 'cpuacct']);
  const paths = cgroupPaths(hybrid, '/berth/x');
  assert.equal(paths.controllers.get('cpuacct'), '/sys/fs/cgroup/cpu/berth/x');
  assert.equal(paths.controllers.get('name=systemd'), '/sys/fs/cgroup/systemd/berth/x');
  assert.equal(paths.unified, '/sys/fs/cgroup/unified/berth/x');
  const unified = layoutFromMounts(parseMountInfo(v2), () => 'cpu io memory pids\n');
  assert.equal(unified.mode, 'v2');
  assert.deepEqual(unified.controllers, ['cpu', 'io', 'memory', 'pids']);
  assert.throws(() => layoutFromMounts([], () => ''), { code: 'SYS_NO_CGROUPS' });
});

test('parseProcessCgroups splits joined controllers and keeps the unified path apart', () => {
  const paths = parseProcessCgroups('4:cpu,cpuacct:/a\n1:name=systemd:/b:c\n0::/u\n');
  assert.deepEqual(
    [...paths],
    [
      ['cpu', '/a'],
      ['cpuacct', '/a'],
      ['name=systemd', '/b:c'],
      ['', '/u'],
    ],
  );
});

test('v1 statistics come out in nanoseconds and bytes', () => {
  const cpu = cpuStatsV1(
    files({ 'cpuacct.usage': '123\n', 'cpuacct.stat': 'user 2\nsystem 3\n', 'cpuacct.usage_percpu': '100 23 \n' }),
    files({ 'cpu.stat': 'nr_periods 5\nnr_throttled 1\nthrottled_time 77\n' }),
  );
  assert.deepEqual(cpu, {
    totalNs: 123,
    userNs: 20_000_000,
    systemNs: 30_000_000,
    perCpuNs: [100, 23],
    periods: 5,
    throttledPeriods: 1,
    throttledNs: 77,
  });
  const memory = memoryStatsV1(
    files({
      'memory.usage_in_bytes': '4096\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.max_usage_in_bytes': '8192\n',
      'memory.failcnt': '2\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
      'memory.stat': 'cache 1\nrss 2\n',
    }),
  );
  assert.deepEqual(memory, {
    usageBytes: 4096,
    limitBytes: undefined,
    maxUsageBytes: 8192,
    failCount: 2,
    oomKills: 1,
    detail: { cache: 1, rss: 2 },
  });
});

test('v2 statistics come out in nanoseconds and bytes', () => {
  const cpu = cpuStatsV2(files({ 'cpu.stat': 'usage_usec 10\nuser_usec 4\nsystem_usec 6\nthrottled_usec 1\n' }));
  assert.equal(cpu?.totalNs, 10_000);
  assert.equal(cpu.throttledNs, 1000);
  assert.equal(cpu.perCpuNs, undefined);
  const memory = memoryStatsV2(
    files({ 'memory.current': '10\n', 'memory.max': 'max\n', 'memory.events': 'oom 1\noom_kill 3\n' }),
  );
  assert.ok(memory !== undefined);
  assert.equal(memory.limitBytes, undefined);
  assert.equal(memory.oomKills, 3);
  assert.deepEqual(pidsStats(files({ 'pids.current': '4\n', 'pids.max': '20\n' })), { current: 4, limit: 20 });
});

test('statistics of a group that is gone are undefined', () => {
  const none = files({});
  assert.equal(cpuStatsV1(none, none), undefined);
  assert.equal(memoryStatsV1(none), undefined);
  assert.equal(cpuStatsV2(none), undefined);
  assert.equal(memoryStatsV2(none), undefined);
  assert.equal(pidsStats(none), undefined);
});

test('block device counters of both versions are read', () => {
  assert.deepEqual(parseBlkioV1('8:0 Read 5\n8:0 Write 6\nTotal 11\n'), [
    { major: 8, minor: 0, op: 'Read', value: 5 },
    { major: 8, minor: 0, op: 'Write', value: 6 },
  ]);
  assert.deepEqual(parseIoStat('254:1 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n'), {
    bytes: [
      { major: 254, minor: 1, op: 'read', value: 1 },
      { major: 254, minor: 1, op: 'write', value: 2 },
    ],
    operations: [
      { major: 254, minor: 1, op: 'read', value: 3 },
      { major: 254, minor: 1, op: 'write', value: 4 },
    ],
  });
  assert.equal(parseLimit('max\n'), undefined);
  assert.deepEqual(parseKeyValues('a 1\n\nb'), { a: 1 });
});

test('parseSystemCpu adds the eight states and counts CPUs', () => {
  const system = parseSystemCpu('cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1\ncpu1 1 1\nintr 5\n');
  assert.deepEqual(system, { totalNs: 360_000_000, onlineCpus: 2 });
});
