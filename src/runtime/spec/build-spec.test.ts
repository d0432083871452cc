import { allCgroupFeatures } from './cgroup-features.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ContainerConfig, emptyContainerConfig, emptyHostConfig, type HostConfig, type oci } from '#spec';
import { buildSpec, cgroupDirectory, cgroupsPath, type SpecInput } from './build-spec.ts';
import { capabilitiesOfMask } from './capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import type { SpecMount } from './mounts.ts';

const facts: HostFacts = {
  arch: 'x64',
  kernel: [6, 1],
  capabilities: capabilitiesOfMask(0x1ffffffffffn),
  rlimits: { nofile: { soft: 1024, hard: 4096 }, core: { soft: 0, hard: Number.POSITIVE_INFINITY } },
  cgroup: allCgroupFeatures(2),
  seccomp: true,
  apparmor: false,
  systemdCgroups: false,
};
const nullDevice = { type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 } as const;

function build(
  config: Partial<ContainerConfig>,
  host: Partial<HostConfig>,
  more: Partial<SpecInput> = {},
): oci.RuntimeSpec {
  return buildSpec({
    containerId: 'c1',
    rootfsPath: '/rootfs',
    config: emptyContainerConfig({ Hostname: 'box', ...config }),
    hostConfig: emptyHostConfig(host),
    args: ['sh', '-c', 'true'],
    user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
    mounts: [],
    namespaces: { network: { path: '/netns/c1' }, pid: 'new', ipc: 'new', uts: 'new', cgroup: 'new' },
    initPath: undefined,
    facts,
    devices: {
      lookup: (path) => (path.startsWith('/dev/n') ? { path, ...nullDevice } : undefined),
      list: (path) =>
        path === '/dev' ? ['/dev/null', '/dev/console', '/dev/pts/0'].map((one) => ({ path: one, ...nullDevice })) : [],
    },
    ...more,
  });
}
const mount = (destination: string, more: Partial<SpecMount> = {}): SpecMount => ({
  type: 'bind',
  source: '/src',
  destination,
  readOnly: false,
  propagation: '',
  recursive: true,
  tmpfsOptions: [],
  ...more,
});
const options = (spec: oci.RuntimeSpec, destination: string): string[] | undefined =>
  spec.mounts.find((one) => one.destination === destination)?.options;

test('buildSpec of a plain container', () => {
  const spec = build({ Env: ['A=1'], Domainname: 'example.org' }, {});
  assert.deepEqual(spec.process.args, ['sh', '-c', 'true']);
  assert.deepEqual(spec.process.env, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=box',
    'A=1',
    'HOME=/root',
  ]);
  assert.equal(spec.process.cwd, '/');
  assert.equal(spec.process.noNewPrivileges, false);
  assert.equal(spec.process.capabilities?.bounding.length, 14);
  assert.equal(spec.hostname, 'box');
  assert.deepEqual(spec.linux.sysctl, { 'kernel.domainname': 'example.org' });
  assert.deepEqual(
    spec.mounts.map((one) => one.destination),
    ['/proc', '/dev', '/dev/pts', '/sys', '/sys/fs/cgroup', '/dev/mqueue', '/dev/shm'],
  );
  assert.ok(options(spec, '/dev/shm')?.includes('size=67108864'));
  assert.ok(options(spec, '/sys')?.includes('ro'));
  assert.equal(spec.linux.cgroupsPath, '/berth/c1');
  assert.deepEqual(spec.linux.namespaces, [
    { type: 'mount' },
    { type: 'network', path: '/netns/c1' },
    { type: 'uts' },
    { type: 'pid' },
    { type: 'ipc' },
    { type: 'cgroup' },
  ]);
  assert.ok(spec.linux.maskedPaths?.includes('/proc/kcore'));
  assert.ok(spec.linux.readonlyPaths?.includes('/proc/sys'));
  assert.equal(spec.linux.seccomp?.defaultAction, 'SCMP_ACT_ERRNO');
  assert.deepEqual(Object.keys(spec.linux.resources), ['devices']);
});

test('buildSpec of a privileged container lifts what protects the host', () => {
  const spec = build({}, { Privileged: true });
  assert.equal(spec.process.capabilities?.effective.length, facts.capabilities.length);
  assert.equal(spec.linux.seccomp, undefined);
  assert.deepEqual(spec.linux.maskedPaths, []);
  assert.deepEqual(spec.linux.readonlyPaths, []);
  assert.ok(!options(spec, '/sys')?.includes('ro') && !options(spec, '/sys/fs/cgroup')?.includes('ro'));
  assert.deepEqual(
    spec.linux.devices.map((device) => device.path),
    ['/dev/null'],
  );
  assert.deepEqual(spec.linux.resources.devices, [{ allow: true, access: 'rwm' }]);
});

test('buildSpec follows the namespaces chosen', () => {
  const spec = build(
    { Domainname: 'x' },
    {},
    { namespaces: { network: 'new', pid: 'host', ipc: { path: '/p' }, uts: 'host', cgroup: 'host' } },
  );
  assert.deepEqual(spec.linux.namespaces, [{ type: 'mount' }, { type: 'network' }, { type: 'ipc', path: '/p' }]);
  assert.equal(spec.hostname, undefined);
  assert.deepEqual(spec.linux.sysctl, {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 2147483647',
  });
});

test('buildSpec puts user mounts after the defaults, parents first, and drops what they cover', () => {
  const mounts = [
    mount('/data/deep'),
    mount('/data', { readOnly: true }),
    mount('/dev/shm'),
    mount('/x', { readOnly: true, recursive: false }),
  ];
  const spec = build({}, { Tmpfs: { '/t': 'size=1m,exec' } }, { mounts });
  assert.deepEqual(
    spec.mounts.slice(6).map((one) => one.destination),
    ['/data', '/x', '/t', '/data/deep', '/dev/shm'],
  );
  assert.deepEqual(options(spec, '/data'), ['rbind', 'rro', 'rprivate']);
  assert.deepEqual(options(spec, '/x'), ['bind', 'ro', 'rprivate']);
  assert.deepEqual(options(spec, '/t'), ['nosuid', 'nodev', 'rprivate', 'size=1m', 'exec']);
  const overDev = build({}, {}, { mounts: [mount('/dev', { propagation: 'rslave' })] });
  assert.equal(options(overDev, '/dev/pts'), undefined);
  assert.equal(overDev.linux.rootfsPropagation, 'rslave');
});

test('buildSpec with a read-only root leaves writable what programs cannot do without', () => {
  const spec = build({}, { ReadonlyRootfs: true, Tmpfs: { '/t': '' } }, { mounts: [mount('/data')] });
  assert.equal(spec.root.readonly, true);
  assert.ok(!options(spec, '/dev/shm')?.includes('ro'));
  assert.ok(!options(spec, '/data')?.includes('ro'));
});

test('buildSpec puts init in front only in a pid namespace of its own', () => {
  const initPath = '/usr/bin/tini-static';
  const spec = build({}, {}, { initPath });
  assert.deepEqual(spec.process.args.slice(0, 3), ['/sbin/docker-init', '--', 'sh']);
  assert.equal(spec.mounts.at(-1)?.source, initPath);
  const namespaces = { network: 'new', pid: 'host', ipc: 'new', uts: 'new', cgroup: 'new' } as const;
  assert.equal(build({}, {}, { initPath, namespaces }).process.args[0], 'sh');
});

test('buildSpec translates limits', () => {
  const spec = build(
    { Tty: true },
    {
      ConsoleSize: [24, 80],
      Memory: 1 << 20,
      MemorySwap: -1,
      NanoCpus: 1_500_000_000,
      CpusetCpus: '0-1',
      PidsLimit: 60,
      BlkioWeight: 300,
      BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 100 }],
      OomScoreAdj: 7,
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/mine', CgroupPermissions: 'r' }],
      DeviceCgroupRules: ['c 10:* rw'],
      Ulimits: [
        { Name: 'nofile', Soft: 9999, Hard: 10_000 },
        { Name: 'core', Soft: -1, Hard: -1 },
      ],
    },
  );
  const { devices, ...resources } = spec.linux.resources;
  assert.deepEqual(resources, {
    memory: { limit: 1 << 20, swap: -1 },
    cpu: { period: 100_000, quota: 150_000, cpus: '0-1' },
    blockIO: { weight: 300, throttleReadBpsDevice: [{ major: 1, minor: 3, rate: 100 }] },
    pids: { limit: 60 },
  });
  assert.deepEqual(devices?.slice(-2), [
    { allow: true, type: 'c', major: 1, minor: 3, access: 'r' },
    { allow: true, type: 'c', major: 10, minor: -1, access: 'rw' },
  ]);
  assert.equal(spec.linux.devices[0]?.path, '/dev/mine');
  assert.deepEqual(spec.process.consoleSize, { height: 24, width: 80 });
  assert.equal(spec.process.oomScoreAdj, 7);
  assert.deepEqual(spec.process.rlimits, [
    { type: 'RLIMIT_NOFILE', soft: 9999, hard: 10_000 },
    { type: 'RLIMIT_CORE', soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY },
  ]);
});

test("buildSpec refuses with Docker's texts", () => {
  assert.throws(() => build({}, { CapAdd: ['FOO'] }), /^EngineError: unknown capability: "CAP_FOO"$/);
  assert.throws(() => build({}, { SecurityOpt: ['what'] }), /invalid --security-opt 1: "what"/);
  assert.throws(() => build({}, { SecurityOpt: ['what=x'] }), /invalid --security-opt 2: "what=x"/);
  assert.throws(() => build({}, { DeviceCgroupRules: ['x'] }), /invalid device cgroup rule format: 'x'/);
  assert.throws(
    () => build({}, { Devices: [{ PathOnHost: '/etc', PathInContainer: '', CgroupPermissions: '' }] }),
    /error gathering device information while adding custom device "\/etc"/,
  );
  assert.throws(() => build({ WorkingDir: 'rel' }, {}), /the working directory 'rel' is invalid/);
  for (const trap of ['/proc/self/fd/7', '/x/../proc/self/fd', '/proc/1/cwd', '//proc//thread-self/fd/3/']) {
    assert.throws(() => build({ WorkingDir: trap }, {}), /is not allowed/, trap);
  }
});

test('cgroupsPath stays below the root', () => {
  const at = (CgroupParent: string, systemdCgroups = false): string =>
    cgroupsPath({
      containerId: 'c1',
      hostConfig: emptyHostConfig({ CgroupParent }),
      facts: { ...facts, systemdCgroups },
    });
  assert.equal(at('../../up'), '/up/c1');
  assert.equal(at('/mine'), '/mine/c1');
  assert.equal(at('', true), 'system.slice:berth:c1');
});

test("cgroupDirectory follows systemd's names of slices and scopes", () => {
  assert.equal(cgroupDirectory('/berth/c1'), '/berth/c1');
  assert.equal(cgroupDirectory('system.slice:berth:c1'), '/system.slice/berth-c1.scope');
  assert.equal(cgroupDirectory('a-b-c.slice:berth:c1'), '/a.slice/a-b.slice/a-b-c.slice/berth-c1.scope');
  assert.equal(cgroupDirectory('-.slice:berth:c1'), '/berth-c1.scope');
});
