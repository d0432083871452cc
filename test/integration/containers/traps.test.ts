import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Query } from '#client';
import { emptyEndpointSettings } from '#spec';
import { dockerCliPath } from '../../helpers/docker-cli.ts';
import { type CreateBody, useEngine } from '../../helpers/engine.ts';
import { berthOnly } from '../../helpers/target.ts';

const engine = useEngine();

function hostDirectory(t: TestContext): string {
  const path = mkdtempSync('/var/tmp/berth-traps-');
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Debian's docker CLI wants the libraries of the machine. */
function libraries(): string[] {
  return ['/lib', '/lib64', '/usr/lib'].filter((path) => existsSync(path)).map((path) => `${path}:${path}:ro`);
}

/** An image of what a container made. */
async function imageOf(t: TestContext, script: string, body: CreateBody = {}): Promise<string> {
  const id = await engine.run(t, script, body);
  assert.equal(await engine.wait(id), 0);
  return await commit(t, { container: id });
}

async function commit(t: TestContext, query: Query): Promise<string> {
  const { Id } = await engine.client.post<{ Id: string }>('/commit', query);
  removeImageAfter(t, Id);
  return Id;
}

function removeImageAfter(t: TestContext, image: string): void {
  t.after(async () => {
    const users = await engine.client.get<{ Id: string }[]>('/containers/json', {
      all: true,
      filters: JSON.stringify({ ancestor: [image] }),
    });
    for (const user of users) await engine.remove(user.Id);
    await engine.client.delete(`/images/${image}`, { force: true });
  });
}

describe('what clients trip over', { concurrency: 4 }, () => {
  test("the engine's own socket works inside of a container (Ryuk, Traefik, Portainer)", async (t) => {
    const socket = engine.host.replace('unix://', '');
    const id = await engine.run(t, 'docker -H unix:///run/engine.sock inspect --format "{{.Name}}" "$HOSTNAME"', {
      HostConfig: { Binds: [`${socket}:/run/engine.sock`, `${dockerCliPath()}:/bin/docker:ro`, ...libraries()] },
    });
    assert.equal(await engine.wait(id), 0);
    assert.equal((await engine.logs(id)).stdout, `${(await engine.inspect(id)).Name}\n`);
  });

  test('the network modes default and bridge are one, and unknown driver options pass through', async (t) => {
    for (const NetworkMode of ['default', 'bridge']) {
      const id = await engine.run(t, 'ip route | grep -c default', {
        HostConfig: { NetworkMode },
        NetworkingConfig: {
          EndpointsConfig: { [NetworkMode]: emptyEndpointSettings({ DriverOpts: { 'com.example.a': 'b' } }) },
        },
      });
      await engine.wait(id);
      assert.equal((await engine.logs(id)).stdout, '1\n');
      const { NetworkSettings } = await engine.inspect(id);
      assert.deepEqual(NetworkSettings.Networks['bridge']?.DriverOpts, { 'com.example.a': 'b' });
    }
  });
});

describe('what attackers bring', { concurrency: 4 }, () => {
  test('programs and libraries of an image are never the helpers of the engine', async (t) => {
    const fake = 'printf "#!/bin/sh\\necho \\$0 >>/ran; exit 1\\n" >/ran.sh; chmod 755 /ran.sh';
    const image = await imageOf(
      t,
      `${fake}; mkdir -p /usr/bin /usr/sbin /lib /usr/local/bin; for p in /bin /usr/bin /usr/local/bin; do for n in xz unxz bzip2 gzip tar; do ln -sf /ran.sh $p/$n; done; done; echo "passwd: evil" >/etc/nsswitch.conf; cp /ran.sh /lib/libnss_evil.so.2`,
    );
    const id = await engine.run(t, 'id -un; sleep 1000', { Image: image, User: 'root', WorkingDir: '/new' });
    await engine.exec(id, 'true', { User: 'root' });
    const host = hostDirectory(t);
    const tar = join(host, 'root.tar');
    await engine.docker(['export', '-o', tar, id]);
    execFileSync('xz', ['-1', tar]);
    const imported = (await engine.docker(['import', `${tar}.xz`])).stdout.trim();
    removeImageAfter(t, imported);
    const changes = await engine.client.get<{ Path: string }[] | null>(`/containers/${id}/changes`);
    assert.deepEqual(
      (changes ?? []).map(({ Path }) => Path),
      ['/new'],
    );
    const ran = await engine.output(t, 'test -e /ran || echo never', {
      Image: imported,
      Cmd: ['/bin/sh', '-c', 'test -e /ran || echo never'],
    });
    assert.equal(ran.stdout, 'never\n');
    assert.ok(!existsSync('/ran'));
  });

  test('volumes of an image with dots and links stay inside', async (t) => {
    const image = await imageOf(
      t,
      'mkdir /inside && echo kept >/inside/f && ln -s /inside /link && ln -s ../../../../../../../inside /up',
    );
    const script =
      'cat /inside/f; ls -d /inside /berth-dots; for each in /inside; do grep -c " $each " /proc/mounts; done';
    const id = await engine.run(t, script, {
      Image: image,
      Volumes: { '/a/../../../../berth-dots': {}, '/link': {}, '/up': {} },
    });
    await engine.wait(id);
    const { stdout } = await engine.logs(id);
    assert.match(stdout, /^kept\n(\/berth-dots\n\/inside|\/inside\n\/berth-dots)\n[12]\n$/);
    assert.ok(!existsSync('/berth-dots') && !existsSync('/inside'));
  });

  test('no working directory leads out of the container by a descriptor', async (t) => {
    for (let fd = 3; fd < 16; fd += 1) {
      const id = await engine.create(t, { Cmd: ['ls', '../../..'], WorkingDir: `/proc/self/fd/${fd}` });
      const refused = await engine.start(id).then(
        () => false,
        () => true,
      );
      if (refused) continue;
      await engine.wait(id);
      const { stdout } = await engine.logs(id);
      assert.ok(!stdout.includes('boot') && !stdout.includes('srv'), stdout);
    }
  });
});

describe('what attackers bring to berthd', berthOnly, () => {
  test('labels of images never become annotations, which steer runtimes', async (t) => {
    const source = await engine.create(t);
    const changes = ['LABEL run.oci.hooks.stdout=/tmp/x', 'LABEL io.katacontainers.config.hypervisor.path=/tmp/x'];
    const Image = await commit(t, { container: source, changes });
    const id = await engine.runIdle(t, { Image, Labels: { 'run.oci.handler': 'evil' } });
    const bundle = join(engine.daemon.execRoot, 'bundles', id, 'config.json');
    const spec = JSON.parse(readFileSync(bundle, 'utf8')) as { annotations?: Record<string, string> };
    // The compiled filter is ours.
    const { 'run.oci.seccomp_bpf_data': _filter, ...annotations } = spec.annotations ?? {};
    assert.deepEqual(annotations, {});
    assert.ok(!JSON.stringify(spec).includes('evil'));
  });

  test('nobody else looks into the state, and no socket is abstract', async (t) => {
    const id = await engine.runIdle(t, { HostConfig: { IpcMode: 'shareable' } });
    const closed = (path: string): void => {
      const { mode } = statSync(path);
      assert.equal(mode & 0o007, 0, `${path} is ${(mode & 0o777).toString(8)}`);
    };
    const { dataRoot, execRoot } = engine.daemon;
    for (const name of ['', 'store', 'containers', `containers/${id}`]) closed(join(dataRoot, name));
    for (const name of readdirSync(execRoot, { withFileTypes: true })) {
      if (name.isDirectory()) closed(join(execRoot, name.name));
    }
    const names = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.split(/\s+/)[7] ?? '');
    assert.deepEqual(
      names.filter((name) => name.startsWith('@') && /berth|conmon|crun/.test(name)),
      [],
    );
  });
});
