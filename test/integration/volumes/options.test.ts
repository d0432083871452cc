import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { VolumeInspect } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

function hostDirectory(t: TestContext): string {
  const path = mkdtempSync('/var/tmp/berth-volumes-');
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function createVolume(t: TestContext, Name: string, body: object = {}): Promise<VolumeInspect> {
  // Registered before the test's containers, whose removal comes first in reverse order only by name: forced twice.
  t.after(async () => await removeVolume(Name));
  return await engine.client.post<VolumeInspect>('/volumes/create', {}, { json: { Name, ...body } });
}

async function removeVolume(name: string): Promise<void> {
  const { Volumes } = await engine.client.get<{ Volumes: VolumeInspect[] }>('/volumes');
  if (!Volumes.some(({ Name }) => Name === name)) return;
  const users = await engine.client.get<{ Id: string }[]>('/containers/json', {
    all: true,
    filters: JSON.stringify({ volume: [name] }),
  });
  for (const { Id } of users) await engine.remove(Id);
  await engine.client.delete(`/volumes/${name}`);
}

function mountsAt(path: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4] === path);
}

describe('options of the local driver', () => {
  test('a tmpfs is there with its size while a container uses it, and for all of them', async (t) => {
    const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=3m,mode=711' };
    const { Mountpoint, Options } = await createVolume(t, 'opt-tmpfs', { DriverOpts: options });
    assert.deepEqual(Options, options);
    assert.deepEqual(mountsAt(Mountpoint), []);
    const HostConfig = { Binds: ['opt-tmpfs:/t'] };
    const first = await engine.runIdle(t, { HostConfig });
    const second = await engine.runIdle(t, { HostConfig });
    const script = 'df -k /t | tail -n 1 | tr -s " " | cut -d " " -f 2; stat -c %a /t; echo text >/t/file';
    assert.equal((await engine.exec(first, script)).stdout, '3072\n711\n');
    assert.equal((await engine.exec(second, 'cat /t/file')).stdout, 'text\n');
    assert.equal(mountsAt(Mountpoint).length, 1);
    await engine.remove(first);
    assert.equal(mountsAt(Mountpoint).length, 1);
    await engine.remove(second);
    assert.deepEqual(mountsAt(Mountpoint), []);
  });

  test('a bind shows the host directory, which outlives the volume', async (t) => {
    const host = hostDirectory(t);
    writeFileSync(join(host, 'in'), 'from the host');
    await createVolume(t, 'opt-bind', { DriverOpts: { type: 'none', device: host, o: 'bind' } });
    const HostConfig = { Binds: ['opt-bind:/etc'] };
    const { stdout } = await engine.output(t, 'cat /etc/in; ls /etc | grep -c passwd; echo made >/etc/out', {
      HostConfig,
    });
    assert.match(stdout, /^from the host0\n/);
    await removeVolume('opt-bind');
    assert.equal(readFileSync(join(host, 'out'), 'utf8'), 'made\n');
  });

  test('a read-only bind cannot be written', async (t) => {
    const host = hostDirectory(t);
    writeFileSync(join(host, 'file'), 'text');
    await createVolume(t, 'opt-ro', { DriverOpts: { type: 'none', device: host, o: 'bind,ro' } });
    const HostConfig = { Binds: ['opt-ro:/data'] };
    const { stdout } = await engine.output(t, 'cat /data/file; (: >/data/x) 2>/dev/null || echo ro', { HostConfig });
    assert.equal(stdout, 'textro\n');
  });

  test('a mount that fails is told at the start, and leaves nothing', async (t) => {
    const { Mountpoint } = await createVolume(t, 'opt-bad', {
      DriverOpts: { type: 'none', device: '/no/such', o: 'bind' },
    });
    const body = {
      HostConfig: { Mounts: [{ Type: 'volume', Source: 'opt-bad', Target: '/x', VolumeOptions: { NoCopy: true } }] },
    };
    const id = await engine.create(t, body);
    await refuses(
      engine.start(id),
      500,
      new RegExp(
        `^error while mounting volume '${Mountpoint}': failed to mount local volume: mount /no/such:${Mountpoint}, flags: 0x1000: no such file or directory$`,
      ),
    );
    assert.deepEqual(mountsAt(Mountpoint), []);
    await engine.remove(id);
    await engine.client.delete('/volumes/opt-bad');
  });

  test('are checked', async () => {
    const create = async (DriverOpts: object): Promise<unknown> =>
      await engine.client.post('/volumes/create', {}, { json: { Name: 'opt-refused', DriverOpts } });
    await refuses(create({ foo: 'bar' }), 400, /^create opt-refused: invalid option: "foo"$/);
    await refuses(create({ type: 'tmpfs' }), 400, /^create opt-refused: missing required option: "device"$/);
    await refuses(create({ size: '1m' }), 400, /^create opt-refused: quota size requested but no quota support$/);
  });

  test('of --mount make the volume', async (t) => {
    t.after(async () => await removeVolume('opt-mount'));
    const DriverConfig = { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs', o: 'size=2m' } };
    const VolumeOptions = { Labels: { made: 'by mount' }, DriverConfig };
    const HostConfig = { Mounts: [{ Type: 'volume', Source: 'opt-mount', Target: '/t', VolumeOptions }] };
    const { stdout } = await engine.output(t, 'df -k /t | tail -n 1 | tr -s " " | cut -d " " -f 2', { HostConfig });
    assert.equal(stdout, '2048\n');
    const { Labels, Options } = await engine.client.get<VolumeInspect>('/volumes/opt-mount');
    assert.deepEqual({ Labels, Options }, { Labels: { made: 'by mount' }, Options: DriverConfig.Options });
  });

  test('names are checked, unknown drivers refused', async () => {
    const create = async (json: object): Promise<unknown> => await engine.client.post('/volumes/create', {}, { json });
    await refuses(
      create({ Name: 'a/b' }),
      400,
      /^create a\/b: "a\/b" includes invalid characters for a local volume name, only/,
    );
    await refuses(
      create({ Name: 'x' }),
      400,
      /^create x: volume name is too short, names should be at least two alphanumeric characters$/,
    );
  });
});

describe('parts of volumes', berthOnly, () => {
  const mount = (Subpath: string): object => ({
    Type: 'volume',
    Source: 'part-volume',
    Target: '/part',
    VolumeOptions: { Subpath },
  });

  test('a directory or a file of a volume is mounted, and nothing stays mounted on the host', async (t) => {
    await createVolume(t, 'part-volume');
    await engine.output(t, 'mkdir -p /v/a/b; echo deep >/v/a/b/file; ln -s b /v/a/link; ln -s ../../../etc /v/a/out', {
      HostConfig: { Binds: ['part-volume:/v'] },
    });
    const read = async (path: string, script: string): Promise<string> =>
      (await engine.output(t, script, { HostConfig: { Mounts: [mount(path)] } as never })).stdout;
    assert.equal(await read('a/b', 'cat /part/file; ls -a /part | wc -l'), 'deep\n3\n');
    assert.equal(await read('a/b/file', 'cat /part'), 'deep\n');
    assert.equal(await read('a/link', 'cat /part/file'), 'deep\n');
    const start = async (path: string): Promise<void> => {
      const id = await engine.create(t, { HostConfig: { Mounts: [mount(path)] } as never });
      await engine.start(id);
    };
    await refuses(
      start('a/missing'),
      [404, 500],
      /cannot access path .*\/_data\/a\/missing: lstat .*: no such file or directory/,
    );
    await refuses(start('a/out'), 400, /path concatenation escapes the base directory, base: .*_data, subpath: a\/out/);
    const staged = readFileSync('/proc/self/mountinfo', 'utf8').includes(`${engine.daemon.execRoot}/mounts/`);
    assert.equal(staged, false);
  });

  test('files are copied out of them while the container does not run', async (t) => {
    await createVolume(t, 'part-volume');
    await engine.output(t, 'mkdir /v/a; echo text >/v/a/file', { HostConfig: { Binds: ['part-volume:/v'] } });
    const id = await engine.create(t, { HostConfig: { Mounts: [mount('a')] } as never });
    const { stdout } = await engine.docker(['cp', `${id}:/part/file`, '-'], {});
    assert.match(stdout, /text/);
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(`${engine.daemon.execRoot}/mounts/`));
  });
});

describe('image mounts', berthOnly, () => {
  const mount = (ImageOptions: object = {}): object => ({
    Type: 'image',
    Source: 'berth-test/busybox',
    Target: '/image',
    ImageOptions,
  });

  test('show an image read-only, without what containers add', async (t) => {
    const HostConfig = { Mounts: [mount()] } as never;
    const script =
      'test -x /image/bin/busybox && echo busybox; (: >/image/x) 2>/dev/null || echo ro; test -e /image/.dockerenv || echo bare';
    const id = await engine.run(t, script, { HostConfig });
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, 'busybox\nro\nbare\n');
    const [shown] = (await engine.inspect(id)).Mounts;
    assert.deepEqual([shown?.Type, shown?.Name, shown?.RW], ['image', 'berth-test/busybox', false]);
    await engine.start(id);
    await engine.wait(id);
  });

  test('show a part of an image; an image that is not there is refused', async (t) => {
    const HostConfig = { Mounts: [mount({ Subpath: 'bin' })] } as never;
    assert.equal((await engine.output(t, 'test -x /image/busybox && echo part', { HostConfig })).stdout, 'part\n');
    await refuses(
      engine.create(t, { HostConfig: { Mounts: [{ Type: 'image', Source: 'no-such-image', Target: '/x' }] } as never }),
      404,
      /No such image: no-such-image/,
    );
  });
});
