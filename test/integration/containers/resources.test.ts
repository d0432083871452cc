import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { HostConfig } from '#spec';
import { createLinuxSys } from '#sys';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
const sys = createLinuxSys();
const layout = sys.cgroups.detect();
const isV2 = layout.mode === 'v2';
const MB = 1024 * 1024;

/** Reads a limit out of the control group of a running container, by its names in version 1 and 2. */
async function limit(id: string, controller: string, v1: string, v2: string): Promise<string> {
  const { State } = await engine.inspect(id);
  const paths = sys.cgroups.pathsOfProcess(layout, State.Pid);
  const directory = isV2 ? paths.unified : paths.controllers.get(controller);
  return readFileSync(join(directory ?? '', isV2 ? v2 : v1), 'utf8').trim();
}

const memory = async (id: string): Promise<string> => await limit(id, 'memory', 'memory.limit_in_bytes', 'memory.max');
const pids = async (id: string): Promise<string> => await limit(id, 'pids', 'pids.max', 'pids.max');
const cpus = async (id: string): Promise<string> => await limit(id, 'cpuset', 'cpuset.cpus', 'cpuset.cpus');
const quota = async (id: string): Promise<string> => {
  const text = await limit(id, 'cpu', 'cpu.cfs_quota_us', 'cpu.max');
  return isV2 ? (text.split(' ')[0] ?? '') : text;
};

async function update(id: string, changes: Partial<HostConfig>): Promise<string[]> {
  const { Warnings } = await engine.client.post<{ Warnings: string[] | null }>(
    `/containers/${id}/update`,
    {},
    { json: changes },
  );
  return Warnings ?? [];
}

async function createWarnings(t: TestContext, HostConfig: Partial<HostConfig>): Promise<string[]> {
  const { Id, Warnings } = await engine.client.post<{ Id: string; Warnings: string[] | null }>(
    '/containers/create',
    {},
    { json: { Image: 'berth-test/busybox:latest', Cmd: ['true'], HostConfig } },
  );
  engine.removeAfter(t, Id);
  await engine.start(Id);
  assert.equal(await engine.wait(Id), 0);
  return Warnings ?? [];
}

describe('limits at create', { concurrency: 4 }, () => {
  test('are in the control group of the container', async (t) => {
    const id = await engine.runIdle(t, {
      HostConfig: { Memory: 64 * MB, PidsLimit: 50, NanoCpus: 5e8, CpusetCpus: '0' },
    });
    assert.equal(await memory(id), String(64 * MB));
    assert.equal(await pids(id), '50');
    assert.equal(await quota(id), '50000');
    assert.equal(await cpus(id), '0');
    assert.equal((await engine.inspect(id)).HostConfig.MemorySwap, 128 * MB);
  });

  test('the less common ones are there too', async (t) => {
    const disk = readdirSync('/sys/block').find((name) => existsSync(`/dev/${name}`)) ?? 'none';
    const Rate = 1_048_576;
    const id = await engine.runIdle(t, {
      HostConfig: {
        Memory: 64 * MB,
        MemorySwap: 96 * MB,
        MemoryReservation: 32 * MB,
        CpuShares: 512,
        BlkioDeviceReadBps: [{ Path: `/dev/${disk}`, Rate }],
        BlkioDeviceWriteIOps: [{ Path: `/dev/${disk}`, Rate: 100 }],
      },
    });
    const swap = await limit(id, 'memory', 'memory.memsw.limit_in_bytes', 'memory.swap.max');
    assert.equal(swap, String(isV2 ? 32 * MB : 96 * MB));
    assert.equal(await limit(id, 'memory', 'memory.soft_limit_in_bytes', 'memory.low'), String(32 * MB));
    assert.equal(await limit(id, 'cpu', 'cpu.shares', 'cpu.weight'), isV2 ? '20' : '512');
    assert.match(
      await limit(id, 'blkio', 'blkio.throttle.read_bps_device', 'io.max'),
      new RegExp(`^\\d+:\\d+ .*${Rate}`),
    );
    assert.match(await limit(id, 'blkio', 'blkio.throttle.write_iops_device', 'io.max'), /^\d+:\d+ .*100/);
  });

  test('beyond the memory limit the kernel kills: OOMKilled, the event, 137', async (t) => {
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'],
      HostConfig: { Memory: 16 * MB, MemorySwap: 16 * MB },
    });
    const events = await engine.events(t, { container: [id], event: ['oom'] });
    await engine.start(id);
    assert.equal(await engine.wait(id), 137);
    assert.equal((await engine.inspect(id)).State.OOMKilled, true);
    await events.action('oom', id);
  });

  test('what the kernel lacks is warned of and left out', async (t) => {
    const weights = existsSync('/sys/fs/cgroup/blkio/blkio.weight') || isV2;
    const warnings = await createWarnings(t, { BlkioWeight: 300, CpuPercent: 5 });
    assert.ok(warnings.includes('linux does not support CPU percent. Percent discarded.'));
    const text = 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.';
    assert.equal(warnings.includes(text), !weights && !existsSync('/sys/fs/cgroup/blkio/blkio.bfq.weight'));
    assert.deepEqual(await createWarnings(t, { Memory: 64 * MB }), []);
  });

  test('what cannot be is refused', async (t) => {
    const create = async (HostConfig: Partial<HostConfig>): Promise<string> => await engine.create(t, { HostConfig });
    await refuses(create({ CpuQuota: 500 }), 400, /^CPU cfs quota can not be less than 1ms \(i\.e\. 1000\)$/);
    await refuses(
      create({ CpusetCpus: '0-999' }),
      400,
      /^Requested CPUs are not available - requested 0-999, available: /,
    );
    await refuses(create({ CpusetCpus: 'x' }), 400, /^Invalid value x for cpuset cpus: invalid format: x$/);
    // Version 2 has no swappiness: any value is taken out with a warning, as by dockerd.
    if (!isV2) await refuses(create({ MemorySwappiness: 101 }), 400, /valid memory swappiness range is 0-100$/);
    await refuses(
      create({ OomScoreAdj: 2000 }),
      400,
      /^Invalid value 2000, range for oom score adj is \[-1000, 1000\]$/,
    );
    await refuses(create({ CapAdd: ['FOO'] }), 400, /^invalid CapAdd: unknown capability: "CAP_FOO"$/);
    await refuses(create({ ExtraHosts: ['foo'] }), [400, 500], /^bad format for add-host: "foo"$/);
    await refuses(create({ SecurityOpt: ['foo'] }), [400, 500], /^invalid --security-opt 1: "foo"$/);
    await refuses(create({ Tmpfs: { rel: '' } }), 400, /^invalid mount path: 'rel' mount path must be absolute$/);
    await refuses(
      create({ LogConfig: { Type: 'json-file', Config: { foo: 'x' } } }),
      400,
      /^unknown log opt 'foo' for json-file/,
    );
  });
});

describe('update', { concurrency: 4 }, () => {
  test('changes the limits of a running container at once', async (t) => {
    const id = await engine.runIdle(t, { HostConfig: { Memory: 64 * MB } });
    const events = await engine.events(t, { container: [id], event: ['update'] });
    const body = { Memory: 96 * MB, MemorySwap: 200 * MB, PidsLimit: 40, CpuPeriod: 100_000, CpuQuota: 30_000 };
    assert.deepEqual(await update(id, { ...body, CpusetCpus: '1' }), []);
    assert.equal(await memory(id), String(96 * MB));
    assert.equal(await pids(id), '40');
    assert.equal(await quota(id), '30000');
    assert.equal(await cpus(id), '1');
    await events.action('update', id);
    await update(id, { Memory: 48 * MB });
    assert.equal(await memory(id), String(48 * MB));
    assert.equal(await quota(id), '30000');
    const { HostConfig } = await engine.inspect(id);
    assert.equal(HostConfig.Memory, 48 * MB);
    assert.equal(HostConfig.MemorySwap, 200 * MB);
    assert.equal(HostConfig.CpuQuota, 30_000);
    await update(id, { PidsLimit: 0 });
    assert.equal(await pids(id), 'max');
  });

  test('of a stopped container holds from its next start', async (t) => {
    const id = await engine.create(t, { Cmd: ['sleep', '1000'], StopSignal: 'KILL' });
    await update(id, { NanoCpus: 25e7, PidsLimit: 30, RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
    await engine.start(id);
    assert.equal(await quota(id), '25000');
    assert.equal(await pids(id), '30');
    const { HostConfig } = await engine.inspect(id);
    assert.deepEqual(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 2 });
  });

  test('of the restart policy counts at the next exit', async (t) => {
    const id = await engine.run(t, 'trap "exit 3" USR1; echo ready; while :; do sleep 3600 & wait $!; done', {
      // Without a signal of its own any signal counts as a stop in dockerd.
      StopSignal: 'SIGTERM',
    });
    const endRun = async (run: number): Promise<void> => {
      const isReady = async (): Promise<boolean> => (await engine.logs(id)).stdout === 'ready\n'.repeat(run);
      await until(isReady, { what: `run ${run}` });
      await engine.client.post(`/containers/${id}/kill`, { signal: 'USR1' });
    };
    await update(id, { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
    await endRun(1);
    await until(async () => (await engine.inspect(id)).RestartCount === 1, { what: 'the restart' });
    await update(id, { RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } });
    await endRun(2);
    assert.equal(await engine.wait(id), 3);
  });

  test('refuses contradictions and keeps what was', async (t) => {
    const id = await engine.runIdle(t, { HostConfig: { Memory: 64 * MB, NanoCpus: 5e8 } });
    const refused = async (
      changes: Partial<HostConfig>,
      message: RegExp,
      status: number | number[] = 409,
    ): Promise<void> => await refuses(update(id, changes), status, message);
    const cannot = `^Cannot update container ${id}: `;
    await refused(
      { CpuQuota: 5000 },
      new RegExp(`${cannot}Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set$`),
    );
    await refused(
      { Memory: 500 * MB },
      new RegExp(`${cannot}Memory limit should be smaller than already set memoryswap limit`),
    );
    await refused({ Memory: 5 }, /^Minimum memory limit allowed is 6MB$/, 400);
    await refused({ RestartPolicy: { Name: 'foo', MaximumRetryCount: 0 } }, /invalid restart policy/, 400);
    await refuses(update('no-such-container', { Memory: 64 * MB }), 404, /No such container: no-such-container/);
    assert.equal(await memory(id), String(64 * MB));
    const removed = await engine.runIdle(t, { HostConfig: { AutoRemove: true } });
    await refuses(
      update(removed, { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } }),
      409,
      /Restart policy cannot be updated because AutoRemove is enabled for the container$/,
    );
  });

  test('by the docker CLI', async (t) => {
    const id = await engine.runIdle(t, {}, `update-${process.pid}`);
    const { stdout, exitCode } = await engine.docker([
      'update',
      '--memory',
      '64m',
      '--memory-swap',
      '64m',
      `update-${process.pid}`,
    ]);
    assert.deepEqual([stdout, exitCode], [`update-${process.pid}\n`, 0]);
    assert.equal(await memory(id), String(64 * MB));
  });
});

test('an update outlives the daemon', berthOnly, async (t) => {
  const id = await engine.runIdle(t);
  await update(id, { PidsLimit: 33 });
  await engine.daemon.kill9();
  await engine.daemon.launch();
  assert.equal((await engine.inspect(id)).HostConfig.PidsLimit, 33);
  assert.equal(await pids(id), '33');
});
