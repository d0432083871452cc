import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findInit, RootFiles, setFrozen, type SpecMount } from '#runtime';
import { type BenchContainer, ContainerBench } from '../../helpers/container-bench.ts';
import { until } from '../../helpers/until.ts';

let bench: ContainerBench;
before(() => {
  bench = new ContainerBench();
});
after(() => bench[Symbol.asyncDispose](), { timeout: 30_000 });

/** Output of a shell script in a container of this kind. */
async function sh(script: string, wanted: Omit<BenchContainer, 'args'> = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await bench.run({ ...wanted, args: ['sh', '-c', script] });
  assert.equal(`${exitCode}${stderr}`, '0');
  return stdout;
}

function bind(source: string, destination: string, more: Partial<SpecMount> = {}): SpecMount {
  return {
    type: 'bind',
    source,
    destination,
    readOnly: false,
    propagation: '',
    recursive: true,
    tmpfsOptions: [],
    ...more,
  };
}

test("a container has Docker's environment, ids, name and capabilities", async () => {
  assert.equal(
    await sh('env | sort', { config: { Env: ['A=1', 'PATH=/bin'] } }),
    'A=1\nHOME=/root\nHOSTNAME=bench\nPATH=/bin\nPWD=/\nSHLVL=1\n',
  );
  assert.equal(await sh('hostname; id -u; grep CapEff /proc/self/status'), 'bench\n0\nCapEff:\t00000000a80425fb\n');
  const other = await sh('id -u; id -g; id -G; echo $HOME; pwd; grep CapEff /proc/self/status', {
    config: { User: 'operator:audio', WorkingDir: '/made/here' },
    groupAdd: ['users', '77'],
  });
  assert.equal(other, '37\n29\n29 77 100\n/var\n/made/here\nCapEff:\t0000000000000000\n');
  assert.match(await sh('id -G', { config: { User: 'operator' } }), /^37 8 29\n$/);
});

test("a container has Docker's devices and mounts, and /proc is masked", async () => {
  assert.equal(
    // crun makes /dev/core anywhere, runc where there is a /proc/kcore.
    (await sh('ls /dev')).replace('core\n', ''),
    ['fd', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'tty']
      .concat('urandom', 'zero')
      .map((name) => `${name}\n`)
      .join(''),
  );
  assert.match(await sh('grep " /dev/shm " /proc/mounts', { host: { ShmSize: 1 << 20 } }), /size=1024k/);
  assert.equal(await sh('cat /proc/keys /proc/timer_list | wc -c; ls /sys/firmware | wc -l'), '0\n0\n');
  assert.match(
    await sh('echo 1 > /proc/sys/kernel/dmesg_restrict || echo refused', {}).catch(String),
    /refused|Read-only/,
  );
});

test('a privileged container has all devices, writable /sys and no filter', async () => {
  const text = await sh('grep -E "CapEff|^Seccomp:" /proc/self/status; mount | grep "on /sys "; ls /dev | wc -l', {
    host: { Privileged: true },
  });
  assert.match(text, /Seccomp:\t0/);
  assert.match(text, /sysfs.*\(rw/);
  const own = /CapBnd:\t(\w+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  assert.match(text, new RegExp(`CapEff:\t${own}`));
});

test('the default filter is on, refuses mounts and namespaces, and can be switched off or replaced', async () => {
  const attempt = 'unshare -n true 2>&1 || true; grep ^Seccomp: /proc/self/status';
  assert.match(await sh(attempt), /Operation not permitted[\s\S]*Seccomp:\t2/);
  const host = { CapAdd: ['SYS_ADMIN'], SecurityOpt: ['seccomp=unconfined'] };
  assert.equal(await sh(attempt, { host }), 'Seccomp:\t0\n');
  const profile = JSON.stringify({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }],
  });
  const text = await sh('mkdir /x 2>&1 || true', { host: { SecurityOpt: [`seccomp=${profile}`] } });
  assert.match(text, /No space left on device/);
});

test('limits reach the control groups', async () => {
  const { id, pid } = await bench.create({
    args: ['sleep', '100'],
    host: {
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      CpuShares: 512,
      NanoCpus: 500_000_000,
      PidsLimit: 50,
      CpusetCpus: '0',
    },
  });
  const group = bench.sys.cgroups.pathsOfProcess(bench.sys.cgroups.detect(), pid);
  const read = (controller: string, v1: string, v2: string): string => {
    const directory = group.controllers.get(controller);
    return readFileSync(directory ? join(directory, v1) : join(group.unified ?? '', v2), 'latin1').trim();
  };
  assert.equal(read('memory', 'memory.limit_in_bytes', 'memory.max'), String(64 << 20));
  assert.equal(read('pids', 'pids.max', 'pids.max'), '50');
  assert.equal(read('cpuset', 'cpuset.cpus', 'cpuset.cpus'), '0');
  const runtime = await bench.runtime();
  await runtime.start(id);
  await runtime.update(id, { memory: { limit: 96 << 20, swap: 96 << 20 }, pids: { limit: 60 } });
  assert.equal(read('memory', 'memory.limit_in_bytes', 'memory.max'), String(96 << 20));
  assert.equal(read('pids', 'pids.max', 'pids.max'), '60');
  await runtime.delete(id, { force: true });
  assert.equal(existsSync(group.controllers.get('memory') ?? group.unified ?? ''), false);
});

test('ulimits are set, and cut where this host allows no more', async () => {
  const Ulimits = [
    { Name: 'nofile', Soft: 512, Hard: 1024 },
    { Name: 'nproc', Soft: -1, Hard: -1 },
    { Name: 'core', Soft: -1, Hard: -1 },
  ];
  const text = await sh('ulimit -Sn; ulimit -Hn; grep -E "processes|core" /proc/self/limits', { host: { Ulimits } });
  const own = /Max processes +\S+ +(\S+)/.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  assert.match(text, /^512\n1024\n/);
  // Who may raise limits gets what was asked for, others what they have.
  assert.match(text, new RegExp(`Max processes +(unlimited +unlimited|${own} +${own}) `));
  assert.match(text, /Max core file size +unlimited +unlimited/);
});

test('binds, volumes over defaults, tmpfs and a read-only root', async () => {
  const source = join(bench.directory, 'source');
  mkdirSync(join(source, 'sub'), { recursive: true });
  writeFileSync(join(source, 'file'), 'content');
  const mounts = [
    bind(source, '/data', { readOnly: true }),
    bind(source, '/data/sub'),
    bind(join(source, 'file'), '/etc/one'),
  ];
  const text = await sh(
    'cat /data/file /etc/one; touch /data/x 2>&1 || true; touch /data/sub/y; touch /z 2>&1 || true; touch /t/ok; mount | grep " /t "',
    { mounts, host: { ReadonlyRootfs: true, Tmpfs: { '/t': 'size=1m,exec' } } },
  );
  assert.match(text, /^contentcontenttouch: \/data\/x: Read-only file system\ntouch: \/z: Read-only file system\n/);
  assert.match(text, /tmpfs on \/t type tmpfs \(rw,nosuid,nodev,relatime,size=1024k/);
  assert.ok(existsSync(join(source, 'y')));
});

test('init is process 1 and reaps', { skip: findInit() === undefined }, async () => {
  const initPath = findInit() ?? '';
  const text = await sh('cat /proc/1/cmdline | tr "\\0" " "; (sleep 0.01 &) ; sleep 0.1; echo; ps -o comm', {
    initPath,
  });
  assert.match(text, /^\/sbin\/docker-init -- sh -c /);
  assert.doesNotMatch(text, /\nsleep/);
});

test('namespaces can be shared with another container and the host', async () => {
  const first = await bench.create({ args: ['sleep', '100'] });
  await (await bench.runtime()).start(first.id);
  const path = (name: string): { path: string } => ({ path: `/proc/${first.pid}/ns/${name}` });
  const links = 'for name in net pid ipc uts; do readlink /proc/self/ns/$name; done';
  const text = await sh(links, {
    namespaces: { network: path('net'), pid: path('pid'), ipc: path('ipc'), uts: 'host' },
  });
  const expected = ['net', 'pid', 'ipc'].map((name) => readlinkSync(`/proc/${first.pid}/ns/${name}`));
  assert.deepEqual(text.trim().split('\n'), [...expected, readlinkSync('/proc/self/ns/uts')]);
  await (await bench.runtime()).delete(first.id, { force: true });
});

test('sysctls of the network, the domain name and the user are set', async () => {
  const text = await sh(
    'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/domainname /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax',
    {
      config: { Domainname: 'example.org' },
      host: { Sysctls: { 'net.core.somaxconn': '99', 'kernel.msgmax': '9000' } },
    },
  );
  assert.equal(text, '0\nexample.org\n99\n9000\n');
});

test('a container is frozen and thawed through its control group, and the runtime sees it', async () => {
  const runtime = await bench.runtime();
  const { id, pid } = await bench.create({ args: ['sleep', '100'] });
  await runtime.start(id);
  const { cgroups } = bench.sys;
  const group = cgroups.pathsOfProcess(cgroups.detect(), pid);
  await setFrozen(cgroups, group, true);
  assert.equal((await runtime.state(id)).status, 'paused');
  await setFrozen(cgroups, group, false);
  assert.equal((await runtime.state(id)).status, 'running');
  await runtime.kill(id, 9, { all: true });
  assert.equal((await bench.ended(id)).exitCode, 137);
  await runtime.delete(id);
  await assert.rejects(runtime.state(id), { kind: 'notFound' });
  await runtime.delete(id);
});

test('the runtime tells its errors', async () => {
  const { id } = await bench.run({ args: ['true'] });
  await until(async () => (await (await bench.runtime()).state(id)).status === 'stopped', { what: 'the end' });
  await assert.rejects((await bench.runtime()).start(id), { code: 'RUNTIME_FAILED' });
});

test('RootFiles stays inside the root, whatever links are there', () => {
  const root = join(bench.directory, 'trap');
  const outside = join(bench.directory, 'outside');
  mkdirSync(join(root, 'etc'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  symlinkSync('../../../outside/secret', join(root, 'etc', 'passwd'));
  symlinkSync(outside, join(root, 'link'));
  symlinkSync('/real/../dangling', join(root, 'dangles'));
  symlinkSync('loop', join(root, 'loop'));
  writeFileSync(join(root, 'file'), 'plain');
  using files = new RootFiles(root, bench.sys.files);
  assert.equal(files.readText('/etc/passwd', 1000), undefined);
  assert.equal(files.readText('/file', 1000), 'plain');
  assert.throws(() => files.readText('/file', 3), { code: 'FILE_TOO_LARGE' });
  files.ensureDirectory('/link/below');
  assert.equal(existsSync(join(outside, 'below')), false);
  assert.ok(existsSync(join(root, outside, 'below')), 'an absolute link means a place in the root');
  files.ensureDirectory('/dangles/deep/er');
  assert.ok(existsSync(join(root, 'dangling/deep/er')));
  files.ensureDirectory('/../../up');
  assert.ok(existsSync(join(root, 'up')));
  assert.throws(() => files.ensureDirectory('/file/x'), /Cannot mkdir: \/file\/x is not a directory/);
  assert.throws(() => files.ensureDirectory('/loop/x'));
});
