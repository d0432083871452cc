import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';

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
