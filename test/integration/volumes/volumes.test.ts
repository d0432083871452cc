import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { VolumeInspect } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

describe('volumes', { concurrency: 2 }, () => {
  // After the tests' containers, which are removed when each test ends.
  after(async () => void (await engine.docker(['volume', 'rm', '-f', 'kept-volume', 'made-volume'])));

  test('a named volume outlives its containers and is refused removal while one has it', async (t) => {
    const first = await engine.run(t, 'echo kept >/data/file', { HostConfig: { Binds: ['kept-volume:/data'] } });
    await engine.wait(first);
    await refuses(engine.client.delete('/volumes/kept-volume'), 409, /volume is in use - \[[0-9a-f]{64}\]/);
    await engine.remove(first);
    const { stdout } = await engine.output(t, 'cat /data/file', { HostConfig: { Binds: ['kept-volume:/data:ro'] } });
    assert.equal(stdout, 'kept\n');
  });

  test('create is repeatable, inspect tells, rm removes, a missing one is refused', async () => {
    const create = ['volume', 'create', '--label', 'a=b', 'made-volume'];
    for (const _round of [1, 2]) assert.equal((await engine.docker(create)).stdout, 'made-volume\n');
    const inspected = await engine.docker([
      'volume',
      'inspect',
      '--format',
      '{{.Driver}} {{.Labels.a}}',
      'made-volume',
    ]);
    assert.equal(inspected.stdout, 'local b\n');
    assert.equal((await engine.docker(['volume', 'rm', 'made-volume'])).stdout, 'made-volume\n');
    await refuses(engine.client.delete('/volumes/made-volume'), 404, /no such volume/);
  });

  test('a volume is filled from the image on first use, and rm -v takes the anonymous ones', async (t) => {
    const id = await engine.run(t, 'ls /bin | grep -c .', { HostConfig: { Binds: ['/bin'] } });
    await engine.wait(id);
    assert.ok(Number((await engine.logs(id)).stdout) > 100);
    const [mount] = (await engine.inspect(id)).Mounts;
    const name = mount?.Name ?? '';
    assert.match(name, /^[0-9a-f]{64}$/);
    await engine.client.delete(`/containers/${id}?v=1`);
    await refuses(engine.client.get(`/volumes/${name}`), 404, /no such volume/);
  });
});

describe('prune and df', berthOnly, () => {
  const make = async (Name: string, body: object = {}): Promise<string> =>
    (await engine.client.post<VolumeInspect>('/volumes/create', {}, { json: { Name, ...body } })).Name;
  const prune = async (filters: object): Promise<string[]> => {
    const query = { filters: JSON.stringify(filters) };
    const answer = await engine.client.post<{ VolumesDeleted: string[] }>('/volumes/prune', query);
    return answer.VolumesDeleted.toSorted();
  };

  test('prune takes unused anonymous volumes, with all=1 named ones, by label; never those with a device', async (t) => {
    const anonymous = await make('');
    await make('prune-plain');
    await make('prune-labelled', { Labels: { keep: 'yes' } });
    await make('prune-device', { DriverOpts: { type: 'tmpfs', device: 'tmpfs' } });
    const user = await engine.create(t, { HostConfig: { Binds: ['prune-used:/data'] } });
    assert.deepEqual(await prune({}), [anonymous]);
    assert.deepEqual(await prune({ all: ['1'], 'label!': ['keep=yes'] }), ['prune-plain']);
    assert.deepEqual(await prune({ all: ['true'] }), ['prune-labelled']);
    await refuses(prune({ all: ['maybe'] }), 400, /invalid filter 'all=\[maybe\]'/);
    await refuses(prune({ name: ['x'] }), 400, /invalid filter 'name'/);
    await engine.remove(user);
    for (const name of ['prune-device', 'prune-used']) await engine.client.delete(`/volumes/${name}`);
  });

  test('df tells size and users of local volumes', async (t) => {
    await make('df-device', { DriverOpts: { type: 'tmpfs', device: 'tmpfs' } });
    const id = await engine.run(t, 'head -c 1000 /dev/zero >/data/file', { HostConfig: { Binds: ['df-used:/data'] } });
    await engine.wait(id);
    const { Volumes } = await engine.client.get<{ Volumes: VolumeInspect[] }>('/system/df', { type: 'volume' });
    const shown = Volumes.map(({ Name, UsageData }) => [Name, UsageData]);
    assert.deepEqual(shown, [['df-used', { RefCount: 1, Size: 1000 }]]);
    await engine.remove(id);
    for (const name of ['df-device', 'df-used']) await engine.client.delete(`/volumes/${name}`);
  });

  test('rm -f passes over what is not there, not what is in use', async (t) => {
    await engine.client.delete('/volumes/never-was', { force: true });
    const id = await engine.create(t, { HostConfig: { Binds: ['forced:/data'] } });
    await refuses(
      engine.client.delete('/volumes/forced', { force: true }),
      409,
      /^remove forced: volume is in use - \[/,
    );
    await engine.remove(id);
    await engine.client.delete('/volumes/forced');
  });
});
