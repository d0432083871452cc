import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { VolumeInspect, VolumeListResponse } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly, isBerth } from '../../helpers/target.ts';
import { until } from '../../helpers/until.ts';
import { VolumePlugin } from '../../helpers/volume-plugin.ts';

const engine = useEngine();
const driver = 'berth-test-volumes';
let plugin: VolumePlugin;

async function create(Name: string, DriverOpts?: object): Promise<VolumeInspect> {
  const json = { Name, Driver: driver, DriverOpts, Labels: { kind: 'plugin' } };
  return await engine.client.post<VolumeInspect>('/volumes/create', {}, { json });
}

async function removeWithUsers(name: string): Promise<void> {
  const filters = JSON.stringify({ volume: [name] });
  for (const { Id } of await engine.client.get<{ Id: string }[]>('/containers/json', { all: true, filters })) {
    await engine.remove(Id);
  }
  await engine.client.delete(`/volumes/${name}`);
}

function called(method: string): Record<string, unknown>[] {
  return plugin.calls.filter((call) => call.method === `VolumeDriver.${method}`).map(({ body }) => body);
}

describe('volume plugins', () => {
  before(async () => {
    const directory = isBerth ? join(engine.daemon.execRoot, 'plugins') : '/run/docker/plugins';
    plugin = await VolumePlugin.open(join(directory, `${driver}.sock`));
  });

  after(async () => await plugin.close());

  test('make, show, list and remove volumes', async () => {
    const volume = await create('plug-life', { size: '1' });
    assert.deepEqual([volume.Driver, volume.Scope, volume.Labels], [driver, 'global', { kind: 'plugin' }]);
    assert.deepEqual(called('Create').at(-1), { Name: 'plug-life', Opts: { size: '1' } });
    const shown = await engine.client.get<VolumeInspect>('/volumes/plug-life');
    assert.deepEqual(shown.Status, { users: 0 });
    assert.equal(shown.Mountpoint, join(plugin.directory, 'plug-life'));
    assert.deepEqual(shown.Options, { size: '1' });
    const { Volumes } = await engine.client.get<VolumeListResponse>('/volumes', {
      filters: JSON.stringify({ driver: [driver] }),
    });
    assert.deepEqual(
      Volumes?.map(({ Name, Labels }) => [Name, Labels]),
      [['plug-life', { kind: 'plugin' }]],
    );
    const { Plugins } = await engine.client.get<{ Plugins: { Volume: string[] } }>('/info');
    assert.deepEqual(Plugins.Volume, [driver, 'local'].toSorted());
    await engine.client.delete('/volumes/plug-life');
    await refuses(engine.client.get('/volumes/plug-life'), 404, /no such volume/);
  });

  test('mount them for each container, and unmount when it ends', async (t) => {
    const HostConfig = { Binds: ['plug-mount:/data'], VolumeDriver: driver };
    const { stdout } = await engine.output(t, 'echo inside >/data/file; cat /data/file', { HostConfig });
    assert.equal(stdout, 'inside\n');
    assert.equal(readFileSync(join(plugin.directory, 'plug-mount/file'), 'utf8'), 'inside\n');
    const id = await engine.runIdle(t, { HostConfig });
    assert.equal(plugin.mounts.get('plug-mount')?.size, 1);
    await refuses(engine.client.delete('/volumes/plug-mount'), 409, /volume is in use/);
    await engine.remove(id);
    await until(() => plugin.mounts.get('plug-mount')?.size === 0, { what: 'the unmount', timeoutMs: 5_000 });
    await removeWithUsers('plug-mount');
  });

  test('are asked by --mount with its options; a name belongs to one driver', async (t) => {
    const VolumeOptions = { DriverConfig: { Name: driver, Options: { a: 'b' } } };
    const Mounts = [{ Type: 'volume', Source: 'plug-option', Target: '/data', VolumeOptions }];
    const id = await engine.create(t, { HostConfig: { Mounts } });
    assert.deepEqual(called('Create').at(-1), { Name: 'plug-option', Opts: { a: 'b' } });
    assert.equal((await engine.inspect(id)).Mounts[0]?.Driver, driver);
    await refuses(
      engine.client.post('/volumes/create', {}, { json: { Name: 'plug-option', Driver: 'local' } }),
      409,
      new RegExp(
        `^create plug-option: .*driver '${driver}' already has volume 'plug-option': volume name must be unique$`,
      ),
    );
    await removeWithUsers('plug-option');
  });

  test('tell why they refuse', async () => {
    await refuses(
      create('plug-fails', { fail: 'yes' }),
      500,
      /^create plug-fails: VolumeDriver\.Create: told to fail$/,
    );
    await refuses(engine.client.get('/volumes/plug-fails'), 404, /no such volume/);
  });

  test('are waited for while they restart', async () => {
    await create('plug-known');
    await plugin.stop();
    const created = create('plug-late');
    await plugin.restart();
    assert.equal((await created).Name, 'plug-late');
    for (const name of ['plug-known', 'plug-late']) await engine.client.delete(`/volumes/${name}`);
  });

  test(
    'that are unknown are refused, and a volume whose plugin is gone can be forgotten by force',
    berthOnly,
    async () => {
      await refuses(
        engine.client.post('/volumes/create', {}, { json: { Name: 'plug-none', Driver: 'no-such' } }),
        404,
        /^create plug-none: error looking up volume plugin no-such: plugin "no-such" not found$/,
      );
      await create('plug-lost');
      await plugin.stop();
      const { Volumes } = await engine.client.get<VolumeListResponse>('/volumes');
      assert.ok(Volumes?.some(({ Name }) => Name === 'plug-lost'));
      await refuses(
        engine.client.delete('/volumes/plug-lost'),
        503,
        /^remove plug-lost: Post ".*\/VolumeDriver\.Remove": /,
      );
      await engine.client.delete('/volumes/plug-lost', { force: true });
      await plugin.restart();
    },
  );
  test(
    'what was mounted for a container that is gone is unmounted, for one that runs it stays',
    berthOnly,
    async (t) => {
      const HostConfig = { Binds: ['plug-kill:/data'], VolumeDriver: driver };
      const stays = await engine.runIdle(t, { HostConfig });
      const dies = await engine.runIdle(t, { HostConfig });
      assert.equal(plugin.mounts.get('plug-kill')?.size, 2);
      const { Pid } = (await engine.inspect(dies)).State;
      await engine.daemon.kill9();
      process.kill(Pid, 'SIGKILL');
      await engine.daemon.launch();
      await until(() => plugin.mounts.get('plug-kill')?.size === 1, { what: 'the unmount', timeoutMs: 5_000 });
      assert.equal((await engine.exec(stays, 'echo works >/data/x && cat /data/x')).stdout, 'works\n');
      await engine.remove(stays);
      await engine.remove(dies);
      assert.equal(plugin.mounts.get('plug-kill')?.size, 0);
      await engine.client.delete('/volumes/plug-kill');
    },
  );
});
