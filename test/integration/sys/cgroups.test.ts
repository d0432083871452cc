import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { createLinuxSys } from '#sys';

const DEADLINE_MS = 5000;

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `timed out waiting until ${what}`);
    await sleep(5);
  }
}

test('a group is measured, frozen, killed and removed on this version of cgroups', async () => {
  const { cgroups } = createLinuxSys();
  const layout = cgroups.detect();
  const name = `/berth-test-${process.pid}`;
  const paths = cgroups.paths(layout, name);
  const directories =
    layout.mode === 'v2'
      ? [paths.unified ?? '']
      : [...paths.controllers].filter(([key]) => key !== 'cpuset').map(([, path]) => path);
  for (const directory of directories) mkdirSync(join(directory, 'inner'), { recursive: true });
  const child = spawn('sh', ['-c', 'while :; do i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; sleep 0.01; done']);
  try {
    for (const directory of directories) writeFileSync(join(directory, 'inner', 'cgroup.procs'), String(child.pid));
    assert.ok(cgroups.listProcesses(paths).includes(child.pid ?? 0));
    const ofProcess = cgroups.pathsOfProcess(layout, child.pid ?? 0);
    assert.ok([...ofProcess.controllers.values(), ofProcess.unified].includes(join(directories[0] ?? '', 'inner')));
    await until('the group used CPU time', () => (cgroups.readStats(paths).cpu?.totalNs ?? 0) > 1_000_000);
    const stats = cgroups.readStats(paths);
    assert.ok((stats.pids?.current ?? 0) >= 1);
    assert.equal(stats.pids?.limit, undefined);
    assert.ok(stats.memory !== undefined);
    assert.ok(stats.io !== undefined);
    assert.ok(cgroups.readSystemCpu().totalNs > (stats.cpu?.totalNs ?? Infinity));
    cgroups.freeze(paths);
    await until('the group is frozen', () => cgroups.isFrozen(paths));
    assert.throws(() => cgroups.remove(paths), { kind: 'conflict' });
    cgroups.thaw(paths);
    assert.equal(cgroups.isFrozen(paths), false);
  } finally {
    const exited = once(child, 'exit');
    await until('the group is empty', () => cgroups.killAll(paths) === 0);
    await exited;
    cgroups.remove(paths);
    cgroups.remove(paths);
  }
  assert.ok(directories.every((directory) => !existsSync(directory)));
  assert.equal(cgroups.readStats(paths).cpu, undefined);
  assert.deepEqual(cgroups.listProcesses(paths), []);
});

test('a group of the v2 tree is frozen, killed at once and removed', async () => {
  const { cgroups } = createLinuxSys();
  const { unifiedMount } = cgroups.detect();
  assert.ok(unifiedMount !== undefined, 'this host mounts no cgroup2');
  const paths = { unified: join(unifiedMount, `berth-test-v2-${process.pid}`), controllers: new Map<string, string>() };
  mkdirSync(paths.unified);
  const child = spawn('sleep', ['60']);
  const exited = once(child, 'exit');
  try {
    writeFileSync(join(paths.unified, 'cgroup.procs'), String(child.pid));
    assert.deepEqual(cgroups.listProcesses(paths), [child.pid]);
    const stats = cgroups.readStats(paths);
    assert.equal(stats.version, 2);
    assert.equal(typeof stats.cpu?.totalNs, 'number');
    cgroups.freeze(paths);
    await until('the group is frozen', () => cgroups.isFrozen(paths));
    cgroups.thaw(paths);
    assert.equal(cgroups.killAll(paths), 1);
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    await until('the group is empty', () => cgroups.killAll(paths) === 0);
  } finally {
    child.kill('SIGKILL');
    await until('the group can be removed', () => {
      cgroups.killAll(paths);
      return cgroups.listProcesses(paths).length === 0;
    });
    cgroups.remove(paths);
  }
  assert.equal(existsSync(paths.unified), false);
});
