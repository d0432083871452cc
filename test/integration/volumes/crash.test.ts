import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ApiError } from '#client';
import { busybox } from '../../helpers/busybox-image.ts';
import { useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();
const source = join(import.meta.dirname, '../../../src');

/** Every place where the daemon can be stopped while it works on volumes and mounts. */
function failpointNames(): string[] {
  const names = globSync('engine/**/*.ts', { cwd: source }).flatMap((path) => [
    ...readFileSync(join(source, path), 'utf8').matchAll(/\bfailpoint\('((?:volume|mount)-[\w-]+)'\)/g),
  ]);
  return [...new Set(names.map(([, name = '']) => name))].toSorted();
}

const volumes = ['crash-tmpfs', 'crash-plain'];

/** Makes, fills, mounts, unmounts and removes volumes, and a part of an image; the daemon dies on the way. */
async function everything(): Promise<void> {
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=4m' };
  await engine.client.post('/volumes/create', {}, { json: { Name: 'crash-tmpfs', DriverOpts } });
  const HostConfig = {
    Binds: ['crash-tmpfs:/etc', 'crash-plain:/bin'],
    Mounts: [{ Type: 'image', Source: busybox, Target: '/image', ImageOptions: { Subpath: 'bin' } }],
  };
  const json = { Image: busybox, Cmd: ['sleep', '3600'], HostConfig };
  const { Id } = await engine.client.post<{ Id: string }>('/containers/create', {}, { json });
  await engine.start(Id);
  const { stdout } = await engine.exec(
    Id,
    'test -e /etc/passwd && test -x /bin/ls && test -x /image/busybox && echo all',
  );
  assert.equal(stdout, 'all\n');
  await engine.client.delete(`/containers/${Id}`, { force: true });
  for (const name of volumes) await engine.client.delete(`/volumes/${name}`);
}

/** What is mounted below the daemon's directories for volumes and parts, and the directories themselves. */
function leftovers(): string[] {
  const { dataRoot, execRoot } = engine.daemon;
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(`${dataRoot}/`) || target.startsWith(`${execRoot}/mounts/`));
  return [...mounts, ...readdirSync(join(execRoot, 'mounts')), ...readdirSync(join(dataRoot, 'store/rw'))];
}

async function removeAll(): Promise<void> {
  for (const { Id } of await engine.client.get<{ Id: string }[]>('/containers/json', { all: true })) {
    await engine.remove(Id);
  }
  for (const name of volumes) {
    await engine.client.delete(`/volumes/${name}`).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
  }
}

describe('a daemon killed while it works on volumes', berthOnly, () => {
  test('there are fail points at every step', () =>
    assert.ok(failpointNames().length >= 8, failpointNames().join(' ')));

  for (const name of failpointNames()) {
    test(`leaves no mount after ${name}`, async () => {
      await engine.daemon.terminate();
      await engine.daemon.launch({ BERTH_FAILPOINTS: name });
      const work = everything();
      const outcome = await Promise.race([
        work.then(
          () => 'finished',
          () => 'cut off',
        ),
        engine.daemon.exited().then(() => 'died'),
      ]);
      assert.notEqual(outcome, 'finished', `${name} was not reached`);
      await engine.daemon.exited();
      await work.catch(() => undefined);
      await engine.daemon.launch();
      const running = await engine.client.get<unknown[]>('/containers/json');
      if (running.length === 0) {
        const mounted = leftovers().filter((path) => path.startsWith('/'));
        assert.deepEqual(mounted, []);
      }
      await removeAll();
      await until(() => leftovers().length === 0, { what: 'nothing to be left' }).catch(() =>
        assert.deepEqual(leftovers(), []),
      );
      assert.deepEqual(readdirSync(join(engine.daemon.dataRoot, 'volumes')), []);
      await everything();
      assert.deepEqual(leftovers(), []);
    });
  }

  test('keeps what a running container has mounted, and unmounts it when that ends', async (t) => {
    const DriverOpts = { type: 'tmpfs', device: 'tmpfs' };
    await engine.client.post('/volumes/create', {}, { json: { Name: 'crash-tmpfs', DriverOpts } });
    const id = await engine.runIdle(t, { HostConfig: { Binds: ['crash-tmpfs:/data'] } });
    await engine.exec(id, 'echo kept >/data/file');
    await engine.daemon.kill9();
    await engine.daemon.launch();
    const { stdout } = await engine.output(t, 'cat /data/file', { HostConfig: { Binds: ['crash-tmpfs:/data'] } });
    assert.equal(stdout, 'kept\n');
    await removeAll();
    assert.deepEqual(leftovers(), []);
  });
});
