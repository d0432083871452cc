import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { until } from '../../helpers/until.ts';

const engine = useEngine();

describe('container rename', { concurrency: 4 }, () => {
  test('gives a new name and frees the old one', async (t) => {
    const id = await engine.runIdle(t, {}, 'rename-old');
    await engine.client.post('/containers/rename-old/rename', { name: 'rename-new' });
    assert.equal((await engine.inspect('rename-new')).Id, id);
    await refuses(engine.inspect('rename-old'), 404, /^No such container: rename-old$/);
    await engine.create(t, {}, 'rename-old');
  });

  test('refuses a name in use, its own name, none and a bad one', async (t) => {
    const other = await engine.create(t, {}, 'rename-taken');
    const id = await engine.create(t, {}, 'rename-mine');
    await refuses(
      engine.client.post(`/containers/${id}/rename`, { name: 'rename-taken' }),
      409,
      new RegExp(`Conflict. The container name "/rename-taken" is already in use by container "?${other}"?`),
    );
    await refuses(
      engine.client.post(`/containers/${id}/rename`, { name: 'rename-mine' }),
      [400, 409],
      /Renaming a container with the same name as its current name/,
    );
    await refuses(
      engine.client.post(`/containers/${id}/rename`, { name: '' }),
      [400, 500],
      /Neither old nor new names may be empty|name.*empty|invalid container name/i,
    );
    await refuses(
      engine.client.post(`/containers/${id}/rename`, { name: '-x' }),
      [400, 500],
      /Invalid container name \(\/?-x\)/,
    );
  });

  test('create refuses a name in use and leaves the holder alone', async (t) => {
    const id = await engine.create(t, {}, 'create-taken');
    await refuses(
      engine.create(t, {}, 'create-taken'),
      409,
      new RegExp(
        `^Conflict. The container name "/create-taken" is already in use by container "${id}". You have to remove \\(or rename\\) that container to be able to reuse that name.$`,
      ),
    );
    assert.equal(await engine.status(id), 'created');
  });

  test('of many creates with one name exactly one wins', async (t) => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, async () => await engine.create(t, {}, 'create-race')),
    );
    assert.equal(attempts.filter(({ status }) => status === 'fulfilled').length, 1);
  });
});

describe('container references', { concurrency: 4 }, () => {
  test('a full ID, a unique prefix and a name all mean the same container', async (t) => {
    const id = await engine.create(t, {}, 'ref-name');
    for (const reference of [id, id.slice(0, 12), 'ref-name']) {
      assert.equal((await engine.inspect(reference)).Id, id);
    }
  });
});

describe('container remove', { concurrency: 4 }, () => {
  test('refuses a running container without force', async (t) => {
    const id = await engine.runIdle(t);
    await refuses(
      engine.client.delete(`/containers/${id}`),
      409,
      new RegExp(
        `^[Yy]ou cannot remove a running container ${id}. Stop the container before attempting removal or force remove$|^cannot remove container "?/?[^"]+"?: container is running: stop the container before removing or force remove$`,
      ),
    );
    await engine.client.delete(`/containers/${id}`, { force: true });
    await refuses(engine.inspect(id), 404, /No such container/);
  });

  test('removes created and exited containers; their names are free at once', async (t) => {
    const id = await engine.run(t, 'true', {}, 'remove-again');
    await engine.wait(id);
    await engine.client.delete(`/containers/${id}`);
    const next = await engine.create(t, {}, 'remove-again');
    await engine.client.delete(`/containers/${next}`);
  });

  test('of many forced removals of one container none fails badly, and it is gone', async (t) => {
    const id = await engine.runIdle(t);
    await Promise.all(Array.from({ length: 8 }, async () => await engine.remove(id)));
    await until(
      async () =>
        !(await engine.client.get<{ Id: string }[]>('/containers/json', { all: true })).some((row) => row.Id === id),
      { what: 'the removal' },
    );
  });

  test('auto-remove removes after the exit and after a failed start', async (t) => {
    const events = await engine.events(t, { event: ['destroy'] });
    const id = await engine.run(t, 'exit 3', { HostConfig: { AutoRemove: true } });
    await events.action('destroy', id);
    await refuses(engine.inspect(id), 404, /No such container/);
    const broken = await engine.create(t, { Cmd: ['/no/such/program'], HostConfig: { AutoRemove: true } });
    await assert.rejects(engine.start(broken));
    await events.action('destroy', broken);
  });

  test('auto-remove does not go with a restart policy', async (t) => {
    await refuses(
      engine.create(t, { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } }),
      [400, 500],
      /can't create 'AutoRemove' container with restart policy/i,
    );
  });

  test('v removes the anonymous volumes with the container', async (t) => {
    const id = await engine.run(t, 'echo kept >/data/file', { Volumes: { '/data': {} } });
    await engine.wait(id);
    const [mount] = (await engine.inspect(id)).Mounts;
    assert.equal(mount?.Type, 'volume');
    assert.equal(mount?.Destination, '/data');
    await engine.client.delete(`/containers/${id}`, { v: true });
    const { Volumes } = await engine.client.get<{ Volumes: { Name: string }[] | null }>('/volumes');
    assert.ok(!(Volumes ?? []).some(({ Name }) => Name === mount.Name));
  });

  test('prune removes what does not run, and only what the filters name', async (t) => {
    const stopped = await engine.create(t, { Labels: { 'prune-test': 'yes' } });
    const running = await engine.runIdle(t, { Labels: { 'prune-test': 'yes' } });
    const other = await engine.create(t);
    const filters = JSON.stringify({ label: ['prune-test=yes'] });
    const { ContainersDeleted } = await engine.client.post<{ ContainersDeleted: string[] }>('/containers/prune', {
      filters,
    });
    assert.deepEqual(ContainersDeleted, [stopped]);
    assert.equal(await engine.status(running), 'running');
    assert.equal(await engine.status(other), 'created');
  });
});
