import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { HostConfig } from '#spec';
import { createLinuxSys } from '#sys';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();
const { mounts, cgroups } = createLinuxSys();

describe('settings of the host', { concurrency: 4 }, () => {
  test('ulimits are inside; beyond what is possible they are refused', async (t) => {
    const run = async (...Ulimits: NonNullable<HostConfig['Ulimits']>): Promise<string> =>
      (await engine.output(t, 'ulimit -n; ulimit -Hn; ulimit -c', { HostConfig: { Ulimits } })).stdout;
    assert.equal(
      await run({ Name: 'nofile', Soft: 100, Hard: 200 }, { Name: 'core', Soft: 0, Hard: 0 }),
      '100\n200\n0\n',
    );
    await assert.rejects(run({ Name: 'foo', Soft: 1, Hard: 1 }), /invalid ulimit type: foo|RLIMIT_FOO/);
    await assert.rejects(run({ Name: 'nofile', Soft: 5, Hard: 1 }), /hard limit: 5 > 1|error setting rlimit/);
  });

  test('OOM score, annotations of nothing, isolation and an unknown runtime', async (t) => {
    const { stdout } = await engine.output(t, 'cat /proc/self/oom_score_adj', { HostConfig: { OomScoreAdj: 321 } });
    assert.equal(stdout, '321\n');
    const create = async (HostConfig: Partial<HostConfig>): Promise<string> => await engine.create(t, { HostConfig });
    await refuses(create({ Isolation: 'hyperv' }), [400, 500], /[Ii]nvalid isolation/);
    await refuses(create({ Runtime: 'foo' }), 400, /(unknown or invalid runtime name:|Unknown runtime specified) foo/);
    await refuses(
      create({ StorageOpt: { size: '5G' } }),
      [400, 500],
      /--storage-opt is supported only for overlay over xfs/,
    );
  });
});

describe('volumes of mounts', () => {
  test('get the labels given with them', async (t) => {
    const Source = `berth-labels-${process.pid}`;
    t.after(async () => await engine.client.delete(`/volumes/${Source}`, { force: true }));
    const VolumeOptions = { Labels: { a: 'b' } };
    const id = await engine.create(t, {
      HostConfig: { Mounts: [{ Type: 'volume', Source, Target: '/data', VolumeOptions }] },
    });
    const { Labels } = await engine.client.get<{ Labels: Record<string, string> }>(`/volumes/${Source}`);
    assert.deepEqual(Labels, { a: 'b' });
    await engine.remove(id);
  });
});

describe('settings that are newer than the API of old engines', berthOnly, () => {
  test('a read-only bind is so with all below it, or only itself', async (t) => {
    const host = mkdtempSync('/var/tmp/berth-settings-');
    const below = join(host, 'below');
    mkdirSync(below);
    mounts.mount('none', below, 'tmpfs', 0);
    t.after(() => {
      mounts.unmount(below);
      rmSync(host, { recursive: true });
    });
    const write = 'for d in /data /data/below; do (: >$d/x) 2>/dev/null && echo rw || echo ro; done';
    const run = async (BindOptions?: object): Promise<string> => {
      const mount = {
        Type: 'bind',
        Source: host,
        Target: '/data',
        ReadOnly: true,
        ...(BindOptions && { BindOptions }),
      };
      return (await engine.output(t, write, { HostConfig: { Mounts: [mount] } })).stdout;
    };
    assert.equal(await run(), 'ro\nro\n');
    assert.equal(await run({ ReadOnlyForceRecursive: true }), 'ro\nro\n');
    assert.equal(await run({ ReadOnlyNonRecursive: true }), 'ro\nrw\n');
    await assert.rejects(
      run({ ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true }),
      /mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive/,
    );
  });
});

describe('namespaces', { concurrency: 4 }, () => {
  const namespace = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`);
  const inside = async (t: TestContext, kind: string, HostConfig: Partial<HostConfig>): Promise<string> =>
    (await engine.output(t, `readlink /proc/self/ns/${kind}`, { HostConfig })).stdout.trim();

  test('of the host, of its own, of another container', async (t) => {
    const modes = { pid: 'PidMode', uts: 'UTSMode' } as const;
    for (const kind of ['pid', 'uts'] as const) {
      assert.equal(await inside(t, kind, { [modes[kind]]: 'host' }), namespace(kind));
      assert.notEqual(await inside(t, kind, {}), namespace(kind));
    }
    const other = await engine.runIdle(t);
    const { stdout } = await engine.exec(other, 'readlink /proc/1/ns/pid');
    assert.equal(await inside(t, 'pid', { PidMode: `container:${other}` }), stdout.trim());
    assert.equal(await inside(t, 'cgroup', { CgroupnsMode: 'host' }), namespace('cgroup'));
    assert.notEqual(await inside(t, 'cgroup', { CgroupnsMode: 'private' }), namespace('cgroup'));
  });

  test('the parent of the control group', async (t) => {
    const parent = `/berth-parent-${process.pid}`;
    const { stdout } = await engine.output(t, 'cat /proc/self/cgroup', {
      HostConfig: { CgroupParent: parent, CgroupnsMode: 'host' },
    });
    t.after(() => cgroups.remove(cgroups.paths(cgroups.detect(), parent)));
    assert.match(stdout, new RegExp(`:${parent}/[0-9a-f]{64}$`, 'm'));
  });
});
