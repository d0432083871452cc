import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { readTar } from '#archive';
import { type CreateBody, useEngine } from '../../helpers/engine.ts';

const engine = useEngine();
const letters = ['C', 'A', 'D'];

/** `docker diff` of a container that ran to its end, a line per change. */
async function changesOf(t: TestContext, script: string, body: CreateBody = {}): Promise<string[]> {
  const id = await engine.run(t, script, body);
  await engine.wait(id);
  return await diff(id);
}

async function diff(id: string): Promise<string[]> {
  const changes = await engine.client.get<{ Path: string; Kind: number }[] | null>(`/containers/${id}/changes`);
  return (changes ?? []).map(({ Path, Kind }) => `${letters[Kind]} ${Path}`).toSorted();
}

async function exported(id: string): Promise<Map<string, string>> {
  const response = await engine.client.send({ method: 'GET', path: `/containers/${id}/export` });
  const found = new Map<string, string>();
  for await (const { header } of readTar(response)) {
    const link = header.linkName === '' ? '' : ` -> ${header.linkName}`;
    found.set(header.name.replace(/\/$/, ''), `${header.type} ${(header.mode & 0o7777).toString(8)}${link}`);
  }
  return found;
}

describe('changes of a container', { concurrency: 4 }, () => {
  test('one that only ran changed nothing, whatever was mounted for it', async (t) => {
    assert.deepEqual(await changesOf(t, 'true'), []);
    assert.deepEqual(await changesOf(t, 'true', { Tty: true }), []);
    assert.deepEqual(await changesOf(t, 'true', { HostConfig: { ReadonlyRootfs: true } }), []);
    assert.deepEqual(await changesOf(t, 'true', { HostConfig: { NetworkMode: 'none', IpcMode: 'host' } }), []);
    assert.deepEqual(await changesOf(t, 'true', { HostConfig: { Binds: ['/etc/hosts:/etc/hosts'] } }), []);
  });

  test('new mount points and a new working directory are changes', async (t) => {
    assert.deepEqual(await changesOf(t, 'true', { Volumes: { '/data': {} } }), ['A /data']);
    assert.deepEqual(await changesOf(t, 'true', { WorkingDir: '/w/deep' }), ['A /w', 'A /w/deep']);
    assert.deepEqual(await changesOf(t, 'true', { HostConfig: { Tmpfs: { '/tt': '' } } }), ['A /tt']);
    const Binds = ['/etc/passwd:/etc/zz'];
    assert.deepEqual(await changesOf(t, 'true', { HostConfig: { Binds } }), ['A /etc/zz', 'C /etc']);
  });

  test('an export has what every container has: empty files to mount upon, .dockerenv, mtab', async (t) => {
    const id = await engine.create(t);
    for (const when of ['before', 'after']) {
      const found = await exported(id);
      for (const name of ['.dockerenv', 'dev/console', 'etc/hosts', 'etc/hostname', 'etc/resolv.conf']) {
        assert.equal(found.get(name), 'file 755', `${name} ${when} the start`);
      }
      assert.equal(found.get('etc/mtab'), 'symlink 777 -> /proc/mounts');
      assert.equal(found.get('dev/shm'), 'directory 755');
      await engine.start(id);
      await engine.wait(id);
    }
  });

  test('a commit of a container that only ran adds nothing but the real differences', async (t) => {
    const id = await engine.run(t, 'echo text >/new; rm /bin/vi');
    await engine.wait(id);
    assert.deepEqual(await diff(id), ['A /new', 'C /bin', 'D /bin/vi']);
    const { Id } = await engine.client.post<{ Id: string }>('/commit', { container: id });
    t.after(async () => await engine.client.delete(`/images/${Id}`, { force: true }));
    const again = await engine.output(t, 'ls -A / /bin/vi 2>&1 | grep -e new -e vi', { Image: Id });
    assert.match(again.stdout, /No such file/);
    assert.match(again.stdout, /^new$/m);
    const plain = await engine.run(t, 'true', { Image: Id });
    await engine.wait(plain);
    assert.deepEqual(await diff(plain), []);
  });

  test('an image with links in the way gets real files and directories in their place', async (t) => {
    const root = mkdtempSync('/var/tmp/berth-changes-');
    t.after(() => rmSync(root, { recursive: true, force: true }));
    for (const name of ['bin', 'other', 'run', 'proc']) mkdirSync(join(root, name));
    copyFileSync('/usr/bin/busybox', join(root, 'bin/sh'));
    symlinkSync('sh', join(root, 'bin/cat'));
    writeFileSync(join(root, 'other/hosts'), 'kept\n');
    for (const name of ['etc', 'dev', 'sys']) symlinkSync('other', join(root, name));
    const archive = join(root, 'image.tar');
    execFileSync('tar', ['-C', root, '-cf', archive, 'bin', 'other', 'run', 'proc', 'etc', 'dev', 'sys']);
    const { stdout } = await engine.docker(['import', archive]);
    const image = stdout.trim();
    t.after(async () => await engine.client.delete(`/images/${image}`, { force: true }));
    const script = 'cat /other/hosts; for d in etc dev sys; do test -L /$d && echo link $d; done; cat /etc/hosts';
    const id = await engine.run(t, script, { Image: image });
    assert.equal(await engine.wait(id), 0);
    assert.match((await engine.logs(id)).stdout, /^kept\n127\.0\.0\.1\s+localhost/);
    assert.deepEqual(await diff(id), []);
  });
});
