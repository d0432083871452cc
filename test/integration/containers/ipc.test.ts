import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

describe('IPC modes', { concurrency: 4 }, () => {
  test('containers that join a shareable one have its /dev/shm and its IPC namespace', async (t) => {
    const donor = await engine.runIdle(
      t,
      { HostConfig: { IpcMode: 'shareable', ShmSize: 1 << 20 } },
      `donor-${process.pid}`,
    );
    await engine.exec(donor, 'echo of the donor >/dev/shm/text');
    const { stdout: own } = await engine.exec(
      donor,
      'readlink /proc/1/ns/ipc; stat -c %a /dev/shm; df -k /dev/shm | tail -n 1',
    );
    assert.match(own, /^ipc:\S+\n1777\nshm\s+1024\s/);
    const joined = await engine.run(
      t,
      'cat /dev/shm/text; readlink /proc/1/ns/ipc; grep " /dev/shm " /proc/mounts; echo back >/dev/shm/back',
      {
        HostConfig: { IpcMode: `container:donor-${process.pid}` },
      },
    );
    await engine.wait(joined);
    const lines = (await engine.logs(joined)).stdout.split('\n');
    assert.deepEqual(lines.slice(0, 2), ['of the donor', own.split('\n')[0]]);
    assert.match(lines[2] ?? '', /^shm \/dev\/shm tmpfs rw,nosuid,nodev,noexec,\S*size=1024k/);
    assert.equal((await engine.exec(donor, 'cat /dev/shm/back')).stdout, 'back\n');
    assert.equal((await engine.inspect(joined)).HostConfig.IpcMode, `container:${donor}`);
  });

  test('a private one is not joined, nor one that does not run', async (t) => {
    const idle = await engine.runIdle(t);
    assert.equal((await engine.inspect(idle)).HostConfig.IpcMode, 'private');
    const other = await engine.create(t, { HostConfig: { IpcMode: `container:${idle}` } });
    await refuses(
      engine.start(other),
      [400, 500, 409],
      /container [0-9a-f]{64}: non-shareable IPC \(hint: use IpcMode:shareable/,
    );
    const created = await engine.create(t, { HostConfig: { IpcMode: 'shareable' } });
    const third = await engine.create(t, { HostConfig: { IpcMode: `container:${created}` } });
    await refuses(engine.start(third), [409, 500], /container [0-9a-f]{64} is not running/);
  });

  test('host mode has the /dev/shm of the host, none has no mount there', async (t) => {
    const name = `berth-ipc-${process.pid}`;
    writeFileSync(join('/dev/shm', name), 'of the host');
    t.after(() => rmSync(join('/dev/shm', name)));
    const { stdout } = await engine.output(t, `cat /dev/shm/${name}`, { HostConfig: { IpcMode: 'host' } });
    assert.equal(stdout, 'of the host');
    const none = await engine.output(t, 'grep -c " /dev/shm " /proc/mounts', { HostConfig: { IpcMode: 'none' } });
    assert.equal(none.stdout, '0\n');
  });

  test('a tmpfs of the user at /dev/shm wins', async (t) => {
    const { stdout } = await engine.output(t, 'df -k /dev/shm | tail -n 1', {
      HostConfig: { IpcMode: 'shareable', Tmpfs: { '/dev/shm': 'size=2m' } },
    });
    assert.match(stdout, /^tmpfs\s+2048\s/);
  });
});

describe('shared memory on the host', berthOnly, () => {
  test('outlives the daemon, ends with the run, and is there again at the next', async (t) => {
    const donor = await engine.runIdle(t, { HostConfig: { IpcMode: 'shareable' } });
    await engine.exec(donor, 'echo kept >/dev/shm/text');
    await engine.daemon.kill9();
    await engine.daemon.launch();
    const HostConfig = { IpcMode: `container:${donor}` };
    assert.equal((await engine.output(t, 'cat /dev/shm/text', { HostConfig })).stdout, 'kept\n');
    const directory = join(engine.daemon.execRoot, 'shm');
    assert.deepEqual(readdirSync(directory), [donor]);
    await engine.client.post(`/containers/${donor}/stop`);
    assert.ok(!existsSync(join(directory, donor)));
    await engine.start(donor);
    assert.equal((await engine.exec(donor, 'ls /dev/shm')).stdout, '');
  });
});
