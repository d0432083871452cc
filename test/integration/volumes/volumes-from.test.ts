import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

describe('--volumes-from', () => {
  test('gives binds and volumes of other containers, ro where asked, the later over the earlier', async (t) => {
    const host = mkdtempSync('/var/tmp/berth-volumes-from-');
    t.after(() => rmSync(host, { recursive: true, force: true }));
    writeFileSync(join(host, 'file'), 'bind');
    const one = await engine.create(t, { Volumes: { '/data': {} }, HostConfig: { Binds: [`${host}:/bind`] } });
    const two = await engine.create(t, { Volumes: { '/data': {}, '/more': {} } });
    await engine.output(t, 'echo one >/data/name', { HostConfig: { VolumesFrom: [one] } });
    await engine.output(t, 'echo two >/data/name', { HostConfig: { VolumesFrom: [`${two}:rw`] } });
    const script = 'cat /bind/file /data/name; (: >/data/x) 2>/dev/null || echo ro; : >/more/x && echo rw';
    const both = async (...VolumesFrom: string[]): Promise<string> =>
      (await engine.output(t, script, { HostConfig: { VolumesFrom } })).stdout;
    assert.equal(await both(two, `${one}:ro`), 'bindone\nro\nrw\n');
    assert.equal(await both(one, two), 'bindtwo\nrw\n');
    const [mount] = (await engine.inspect(one)).Mounts.filter(({ Type }) => Type === 'volume');
    const heir = await engine.create(t, { HostConfig: { VolumesFrom: [`${one}:ro`] } });
    const [inherited] = (await engine.inspect(heir)).Mounts.filter(({ Type }) => Type === 'volume');
    assert.deepEqual(inherited, { ...mount, Mode: '', RW: false });
  });

  test('own mounts go over theirs, image volumes do not', async (t) => {
    const data = await engine.create(t, { Volumes: { '/data': {} } });
    await engine.output(t, 'echo theirs >/data/file', { HostConfig: { VolumesFrom: [data] } });
    const read = 'cat /data/file 2>/dev/null || echo none';
    const { stdout } = await engine.output(t, read, { Volumes: { '/data': {} }, HostConfig: { VolumesFrom: [data] } });
    assert.equal(stdout, 'theirs\n');
    const own = { HostConfig: { VolumesFrom: [data], Tmpfs: {}, Binds: ['/var/tmp:/data:ro'] } };
    assert.equal((await engine.output(t, read, own)).stdout, 'none\n');
  });

  test('an anonymous volume lives until the last of its containers goes with its volumes', async (t) => {
    const data = await engine.create(t, { Volumes: { '/data': {} } });
    const heir = await engine.create(t, { HostConfig: { VolumesFrom: [data] } });
    const name = (await engine.inspect(data)).Mounts[0]?.Name ?? '';
    await engine.client.delete(`/containers/${data}`, { v: true });
    await engine.client.get(`/volumes/${name}`);
    await engine.client.delete(`/containers/${heir}`, { v: true });
    await refuses(engine.client.get(`/volumes/${name}`), 404, /no such volume/);
  });

  test('refuses containers that are not there and modes that mean nothing', async (t) => {
    const create = async (VolumesFrom: string[]): Promise<string> =>
      await engine.create(t, { HostConfig: { VolumesFrom } });
    await refuses(create(['nobody']), 400, /^No such container: nobody$/);
    const other = await engine.create(t);
    await refuses(create([`${other}:bad`]), 400, /^invalid mode: bad$/);
    await refuses(create([`${other}:nocopy`]), 400, /^invalid mode: nocopy$/);
    await refuses(create(['']), 400, /^volumes-from specification cannot be an empty string$/);
  });
});
