import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { refuses, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();

function hostDirectory(t: TestContext): string {
  const path = mkdtempSync('/var/tmp/berth-mounts-');
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('bind mounts', { concurrency: 4 }, () => {
  test('a host directory is read and written', async (t) => {
    const host = hostDirectory(t);
    writeFileSync(join(host, 'in'), 'from the host');
    const { stdout } = await engine.output(t, 'cat /data/in; echo from inside >/data/out', {
      HostConfig: { Binds: [`${host}:/data`] },
    });
    assert.equal(stdout, 'from the host');
    assert.equal(readFileSync(join(host, 'out'), 'utf8'), 'from inside\n');
  });

  test('ro refuses writing; a file can be mounted too; inspect shows both', async (t) => {
    const host = hostDirectory(t);
    writeFileSync(join(host, 'file'), 'text');
    const id = await engine.run(t, '(: >/data/x) 2>/dev/null || echo ro; cat /etc/one', {
      HostConfig: { Binds: [`${host}:/data:ro`, `${host}/file:/etc/one`] },
    });
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, 'ro\ntext');
    const mounts = (await engine.inspect(id)).Mounts.toSorted((a, b) => (a.Destination < b.Destination ? -1 : 1));
    assert.deepEqual(mounts, [
      { Type: 'bind', Source: host, Destination: '/data', Mode: 'ro', RW: false, Propagation: 'rprivate' },
      { Type: 'bind', Source: `${host}/file`, Destination: '/etc/one', Mode: '', RW: true, Propagation: 'rprivate' },
    ]);
  });

  test('-v makes a missing host directory, --mount refuses it', async (t) => {
    const host = hostDirectory(t);
    await engine.output(t, 'true', { HostConfig: { Binds: [`${host}/made/deep:/data`] } });
    assert.ok(statSync(join(host, 'made/deep')).isDirectory());
    await refuses(
      engine.create(t, { HostConfig: { Mounts: [{ Type: 'bind', Source: `${host}/missing`, Target: '/data' }] } }),
      400,
      new RegExp(`^invalid mount config for type "bind": bind source path does not exist: ${host}/missing$`),
    );
    assert.ok(!existsSync(join(host, 'missing')));
  });

  test('refuses relative targets, the root as target, doubles and bad modes', async (t) => {
    const create = async (...Binds: string[]): Promise<string> => await engine.create(t, { HostConfig: { Binds } });
    await refuses(create('/tmp:relative'), [400, 500], /invalid (volume specification|mount (path|config))/);
    await refuses(create('/tmp:/'), [400, 500], /invalid (volume )?specification: destination can't be '\/'/);
    await refuses(create('/tmp:/a:what'), [400, 500], /invalid mode: what/);
    await refuses(create('/tmp:/a', '/var:/a'), [400], /Duplicate mount point: \/a/);
  });

  test('a target through a symlink of the image stays inside the container', async (t) => {
    const host = hostDirectory(t);
    const outside = hostDirectory(t);
    mkdirSync(join(host, 'root'));
    symlinkSync(outside, join(host, 'root/link'));
    writeFileSync(join(host, 'payload'), 'payload');
    const id = await engine.create(t, {
      Cmd: ['sh', '-c', 'ls /mnt-root/link 2>/dev/null; true'],
      HostConfig: { Binds: [`${host}/root:/mnt-root`, `${host}/payload:/mnt-root/link/file`] },
    });
    await engine.start(id).catch(() => undefined);
    assert.ok(!existsSync(join(outside, 'file')), 'the mount point was made outside');
  });

  test(
    "the engine's own socket works inside",
    { skip: !existsSync('/usr/bin/nc') && !existsSync('/bin/busybox') },
    async (t) => {
      const socket = engine.host.replace('unix://', '');
      const { stdout } = await engine.output(t, 'test -S /run/engine.sock && echo socket', {
        HostConfig: { Binds: [`${socket}:/run/engine.sock`] },
      });
      assert.equal(stdout, 'socket\n');
    },
  );

  test('the propagation asked for is applied', async (t) => {
    const host = hostDirectory(t);
    const { stdout } = await engine.output(t, 'grep " /data " /proc/self/mountinfo | grep -c "shared:\\|master:"', {
      HostConfig: { Binds: [`${host}:/data`] },
    });
    assert.equal(stdout, '0\n');
  });
});

describe('anonymous volumes', { concurrency: 4 }, () => {
  test('are kept between runs, and start with what the image has there', async (t) => {
    const id = await engine.run(t, 'ls -d /etc/passwd; echo run >>/etc/runs; wc -l </etc/runs', {
      Volumes: { '/etc': {} },
    });
    await engine.wait(id);
    await engine.start(id);
    await engine.wait(id);
    assert.equal((await engine.logs(id)).stdout, '/etc/passwd\n1\n/etc/passwd\n2\n');
    const [mount] = (await engine.inspect(id)).Mounts;
    assert.equal(mount?.Type, 'volume');
    assert.match(mount.Name ?? '', /^[0-9a-f]{64}$/);
    assert.equal(mount.Driver, 'local');
    assert.equal(mount.RW, true);
    assert.ok(mount.Source.endsWith(`/${mount.Name}/_data`));
  });

  test('a bind mount at the same place takes precedence', async (t) => {
    const host = hostDirectory(t);
    const id = await engine.create(t, { Volumes: { '/data': {} }, HostConfig: { Binds: [`${host}:/data`] } });
    const mounts = (await engine.inspect(id)).Mounts;
    assert.deepEqual(
      mounts.map(({ Type }) => Type),
      ['bind'],
    );
  });

  test('are removed with --rm', async (t) => {
    const events = await engine.events(t, { event: ['destroy'] });
    const id = await engine.run(t, 'true', { Volumes: { '/data': {} }, HostConfig: { AutoRemove: true } });
    await events.action('destroy', id);
    const { Volumes } = await engine.client.get<{ Volumes: { Mountpoint: string }[] | null }>('/volumes');
    for (const { Mountpoint } of Volumes ?? []) assert.ok(!Mountpoint.includes(id));
  });
});
