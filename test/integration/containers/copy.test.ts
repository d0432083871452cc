import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createTarWriter, readTar, type TarHeaderInit } from '#archive';
import { ApiError } from '#client';
import type { ContainerPathStat } from '#spec';
import { refuses, useEngine } from '../../helpers/engine.ts';
import { berthOnly, isBerth } from '../../helpers/target.ts';

const engine = useEngine();

interface Entry {
  name: string;
  type: string;
  link: string;
  text: string;
  uid: number;
}

function statOf(headers: ReadonlyMap<string, string>): ContainerPathStat {
  const header = headers.get('x-docker-container-path-stat') ?? '';
  const stat: ContainerPathStat = JSON.parse(Buffer.from(header, 'base64').toString());
  return stat;
}

async function stat(id: string, path: string): Promise<ContainerPathStat> {
  const response = await engine.client.send({ method: 'HEAD', path: `/containers/${id}/archive`, query: { path } });
  await response.discard();
  return statOf(response.headers);
}

async function read(id: string, path: string): Promise<Entry[]> {
  const response = await engine.client.send({ method: 'GET', path: `/containers/${id}/archive`, query: { path } });
  const entries: Entry[] = [];
  for await (const entry of readTar(response)) {
    const { name, type, linkName, uid } = entry.header;
    entries.push({ name, type, link: linkName, text: String(await entry.bytes(2 ** 23)), uid });
  }
  return entries;
}

const names = (entries: readonly Entry[]): string[] => entries.map(({ name }) => name.replace(/(?<=.)\/$/, ''));

async function tarOf(entries: readonly (TarHeaderInit & { text?: string })[]): Promise<Buffer> {
  const writer = createTarWriter();
  const chunks: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of writer.stream) chunks.push(Buffer.from(chunk));
  })();
  for (const { text, ...header } of entries) await writer.add(header, text);
  await writer.end();
  await reading;
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function write(id: string, path: string, tar: Buffer, more: Record<string, string> = {}): Promise<void> {
  const query = { path, ...more };
  const response = await engine.client.send({
    method: 'PUT',
    path: `/containers/${id}/archive`,
    query,
    stream: once(tar),
  });
  await response.discard();
}

/** A directory of this machine. */
function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'berth-copy-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const tree =
  'mkdir -p /d/sub; echo f >/d/f; echo g >/d/sub/g; ln -s /d /link; ln -s d/f /file-link; ln -s none/x /broken; ln -s /d/../loop /loop';

async function runTree(t: TestContext, more = ''): Promise<string> {
  const id = await engine.runIdle(t);
  assert.equal((await engine.exec(id, `${tree}; ${more}`)).exitCode, 0);
  return id;
}

describe('reading out of a container', { concurrency: 4 }, () => {
  test('the stat tells name, size, mode, time and where links lead', async (t) => {
    const id = await runTree(t, 'chmod 4711 /d/f; mkfifo /pipe; chmod 1777 /d/sub');
    const file = await stat(id, '/d/f');
    assert.deepEqual([file.name, file.size, file.mode, file.linkTarget], ['f', 2, 2 ** 23 + 0o711, '']);
    assert.ok(Math.abs(Date.parse(file.mtime) - Date.now()) < 60_000, file.mtime);
    assert.equal((await stat(id, '/d/sub')).mode, 2 ** 31 + 2 ** 20 + 0o777);
    assert.equal((await stat(id, '/pipe')).mode, 2 ** 25 + 0o644);
    assert.equal((await stat(id, '/dev')).mode, 2 ** 31 + 0o755);
    const link = await stat(id, '/link');
    assert.deepEqual([link.name, link.mode, link.linkTarget], ['link', 2 ** 27 + 0o777, '/d']);
    assert.equal((await stat(id, '/file-link')).linkTarget, '/d/f');
    assert.equal((await stat(id, '/broken')).linkTarget, '/none/x');
    assert.equal((await stat(id, '/link/')).mode, 2 ** 31 + 0o755);
    assert.equal((await stat(id, 'link/f')).name, 'f');
  });

  test('entries are named from the last part on; endings mean something', async (t) => {
    const id = await runTree(t);
    assert.deepEqual(await read(id, '/d/f'), [{ name: 'f', type: 'file', link: '', text: 'f\n', uid: 0 }]);
    assert.deepEqual(names(await read(id, '/d')), ['d', 'd/f', 'd/sub', 'd/sub/g']);
    assert.deepEqual(names(await read(id, 'd/')), ['d', 'd/f', 'd/sub', 'd/sub/g']);
    assert.deepEqual(names(await read(id, '/d/.')), ['.', './f', './sub', './sub/g']);
    assert.deepEqual(names(await read(id, '/link')), ['link']);
    assert.deepEqual(names(await read(id, '/link/')), ['link', 'link/f', 'link/sub', 'link/sub/g']);
    assert.deepEqual(names(await read(id, '/link/.')), ['.', './f', './sub', './sub/g']);
    const all = names(await read(id, '/'));
    assert.deepEqual([all[0], all.includes('/d/sub/g'), all.includes('/bin/sh')], ['/', true, true]);
  });

  test('what is not there, or no directory, is told', async (t) => {
    const id = await runTree(t);
    await refuses(read(id, '/nosuch'), 404, new RegExp(`^Could not find the file /nosuch in container ${id}$`));
    await refuses(read(id, '/d/f/x'), [500, 400], /lstat .*\/d\/f\/x: not a directory/);
    await refuses(read(id, ''), 400, /path ?cannot be empty/);
    await refuses(read('nosuch', '/'), 404, /No such container: nosuch/);
  });

  test('running or stopped, volumes and binds are part of it', async (t) => {
    const outside = scratch(t);
    writeFileSync(join(outside, 'on-host'), 'host');
    mkdirSync(join(outside, 'sub'));
    const volume = `copy-${process.pid}`;
    const Binds = [`${volume}:/vol`, `${outside}:/bind:ro`];
    const id = await engine.runIdle(t, { HostConfig: { Binds } });
    await engine.exec(id, 'echo v >/vol/v; echo own >/own');
    const check = async (): Promise<void> => {
      assert.equal((await read(id, '/vol/v'))[0]?.text, 'v\n');
      assert.deepEqual(names(await read(id, '/bind')), ['bind', 'bind/on-host', 'bind/sub']);
      assert.equal((await read(id, '/own'))[0]?.text, 'own\n');
    };
    await check();
    await engine.client.post(`/containers/${id}/stop`);
    await check();
    const created = await engine.create(t, { HostConfig: { Binds } });
    assert.equal((await read(created, '/vol/v'))[0]?.text, 'v\n');
    t.after(async () => await engine.client.delete(`/volumes/${volume}`, { force: true }));
  });

  test('what lies in memory is seen while it runs', berthOnly, async (t) => {
    const id = await engine.runIdle(t, { HostConfig: { Tmpfs: { '/mem': '' } } });
    await engine.exec(id, 'echo m >/mem/m');
    assert.equal((await read(id, '/mem/m'))[0]?.text, 'm\n');
    assert.deepEqual(names(await read(id, '/dev')).slice(0, 1), ['dev']);
    assert.ok(!(await read(id, '/')).some(({ type }) => type === 'char'), 'no devices');
  });

  test('it is an event', async (t) => {
    const id = await runTree(t);
    const events = await engine.events(t, { container: [id] });
    await read(id, '/d');
    await events.action('archive-path', id);
    await write(id, '/d', await tarOf([{ name: 'new' }]));
    await events.action('extract-to-dir', id);
  });
});

describe('writing into a container', { concurrency: 4 }, () => {
  test('owners are those of the archive, or the container’s user when asked', async (t) => {
    const id = await engine.runIdle(t, { User: 'mail:1234' });
    const tar = await tarOf([
      { name: 'd', type: 'directory', uid: 11, gid: 12, mode: 0o700 },
      { name: 'd/f', uid: 13, gid: 14, mode: 0o640, text: 'x' },
    ]);
    await write(id, '/tmp', tar);
    const list = async (): Promise<string> =>
      (await engine.exec(id, 'stat -c "%u %g %a" /tmp/d /tmp/d/f', { User: '0' })).stdout;
    assert.equal(await list(), '11 12 700\n13 14 640\n');
    if (!isBerth) return;
    await write(id, '/tmp', tar, { copyUIDGID: 'true' });
    assert.equal(await list(), '8 1234 700\n8 1234 640\n');
  });

  test('through links, compressed, into volumes, running and stopped', async (t) => {
    const volume = `copy-in-${process.pid}`;
    const id = await engine.runIdle(t, { HostConfig: { Binds: [`${volume}:/vol`] } });
    t.after(async () => await engine.client.delete(`/volumes/${volume}`, { force: true }));
    await engine.exec(id, 'ln -s /vol /link; mkdir /own');
    await write(id, '/link', gzipSync(await tarOf([{ name: 'one', text: '1' }])));
    await write(id, '/own/.', await tarOf([{ name: './two', text: '2' }]));
    assert.equal((await engine.exec(id, 'cat /vol/one /own/two')).stdout, '12');
    await engine.client.post(`/containers/${id}/stop`);
    await write(id, '/link/', await tarOf([{ name: 'three', text: '3' }]));
    await write(id, '/', await tarOf([{ name: 'own/four', text: '4' }]));
    await engine.start(id);
    assert.equal((await engine.exec(id, 'cat /vol/three /own/four')).stdout, '34');
  });

  test('a link in the way is followed inside the container', async (t) => {
    const id = await runTree(t, 'ln -s /d/sub /d/away');
    await write(id, '/', await tarOf([{ name: 'link/new', text: 'n' }]));
    await write(id, '/d', await tarOf([{ name: 'away/deep', text: 'd' }]));
    assert.equal((await engine.exec(id, 'cat /d/new /d/sub/deep')).stdout, 'nd');
  });

  test('directories and other things replace each other unless told not to', async (t) => {
    const id = await runTree(t);
    const strict = { noOverwriteDirNonDir: 'true' };
    const fileForDirectory = await tarOf([{ name: 'sub', text: 's' }]);
    const directoryForFile = await tarOf([{ name: 'f', type: 'directory' }]);
    await refuses(
      write(id, '/d', fileForDirectory, strict),
      [500, 400],
      /cannot overwrite directory "\/d\/sub" with non-directory "\/d"/,
    );
    await refuses(
      write(id, '/d', directoryForFile, strict),
      [500, 400],
      /cannot overwrite non-directory "\/d\/f" with directory "\/d"/,
    );
    await write(id, '/d', fileForDirectory);
    await write(id, '/d', directoryForFile);
    assert.equal((await engine.exec(id, 'test -d /d/f && cat /d/sub')).stdout, 's');
  });

  test('what may not be written is refused in Docker’s words', async (t) => {
    const outside = scratch(t);
    const id = await engine.run(t, 'sleep 3600', {
      HostConfig: { ReadonlyRootfs: true, Binds: [`${outside}:/ro:ro`, `${outside}:/rw`] },
    });
    const tar = await tarOf([{ name: 'x', text: 'x' }]);
    await refuses(write(id, '/', tar), [500, 400], /^container rootfs is marked read-only$/);
    await refuses(write(id, '/ro', tar), [500, 400], /^mounted volume is marked read-only$/);
    assert.deepEqual(readdirSync(outside), []);
    await write(id, '/rw', tar);
    assert.deepEqual(readdirSync(outside), ['x']);
    await engine.client.post(`/containers/${id}/kill`);
    await refuses(write(id, '/', tar), [500, 400], /^container rootfs is marked read-only$/);
    await refuses(write(id, '/etc', tar), [500, 400], /^container rootfs is marked read-only$/);
  });

  test('a place that is none is told', async (t) => {
    const id = await runTree(t);
    const tar = await tarOf([{ name: 'x' }]);
    await refuses(write(id, '/nosuch', tar), 404, /^Could not find the file \/nosuch in container/);
    await refuses(write(id, '/d/f', tar), [500, 400], /^extraction point is not a directory$/);
    await refuses(write(id, '/d', Buffer.from('garbage')), [500, 400], /unexpected EOF/);
    await refuses(write(id, '/d', await tarOf([{ name: '../../../x' }])), [500, 400], /outside of/);
    await refuses(write(id, '/loop', tar), [500, 404, 400], /too many links|too many levels/);
    await write(id, '/d', Buffer.alloc(0));
  });

  test('the container goes on and can be stopped after a failed copy', async (t) => {
    const id = await runTree(t);
    await assert.rejects(write(id, '/d', (await tarOf([{ name: 'x', text: 'x'.repeat(2000) }])).subarray(0, 1500)));
    await engine.client.post(`/containers/${id}/stop`);
    assert.equal(await engine.status(id), 'exited');
  });
});

describe('hostile containers', berthOnly, () => {
  test('no link of a procfs leads out, whatever is mounted where', async (t) => {
    const outside = scratch(t);
    writeFileSync(join(outside, 'secret'), 'secret');
    const id = await engine.runIdle(t, { HostConfig: { PidMode: 'host', Binds: ['/proc:/host-proc'] } });
    await engine.exec(
      id,
      'ln -s /proc/self/root /a; ln -s /host-proc/self/root /b; ln -s /host-proc/1/root /c; ln -s /host-proc/thread-self/root /d',
    );
    for (const start of ['/a', '/b', '/c', '/d', '/proc/self/root', '/host-proc/1/root']) {
      await refuses(read(id, `${start}${outside}/secret`), 404, /^Could not find the file/);
      await refuses(write(id, `${start}${outside}`, await tarOf([{ name: 'x' }])), 404, /^Could not find the file/);
    }
    assert.deepEqual(readdirSync(outside), ['secret']);
    await engine.client.post(`/containers/${id}/stop`);
    await refuses(read(id, `/b${outside}/secret`), 404, /^Could not find the file/);
    assert.equal((await engine.exec(await engine.runIdle(t), 'echo on')).stdout, 'on\n');
  });

  test('thousands of rounds against one that swaps a directory for a link to the root', async (t) => {
    const outside = scratch(t);
    writeFileSync(join(outside, 'marker'), 'HOST');
    const id = await engine.runIdle(t);
    const script = `
      mkdir -p /w/real${outside} ${outside}; echo -n in >/w/real${outside}/marker; echo -n root >${outside}/marker
      ln -s / /w/link; mv /w/real /w/stage
      while :; do mv /w/stage /w/real; mv /w/link /w/stage; mv /w/stage /w/link; mv /w/real /w/stage; done`;
    const swapper = await engine.createExec(id, { Cmd: ['sh', '-c', script] });
    await engine.client.post(`/exec/${swapper}/start`, {}, { json: { Detach: true } });
    const tar = await tarOf([{ name: 'evil', text: 'evil' }]);
    const seen = new Map<string, number>();
    const count = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);
    const tolerant = async (action: Promise<void>): Promise<void> => {
      try {
        await action;
      } catch (error) {
        count(error instanceof ApiError ? 'refused' : 'broken off');
      }
    };
    for (let round = 0; round < 1500; round++) {
      await tolerant(read(id, `/w/stage${outside}/marker`).then(([entry]) => void count(entry?.text ?? 'nothing')));
      await tolerant(write(id, `/w/stage${outside}`, tar).then(() => void count('written')));
    }
    assert.deepEqual(readdirSync(outside), ['marker']);
    assert.equal(readFileSync(join(outside, 'marker'), 'utf8'), 'HOST');
    t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
    assert.equal(seen.get('HOST'), undefined);
    assert.ok((seen.get('in') ?? 0) > 0 && (seen.get('root') ?? 0) > 0 && (seen.get('written') ?? 0) > 0);
  });
});

describe('docker cp', { concurrency: 4 }, () => {
  test('in and out, by its rules for names', async (t) => {
    const id = await runTree(t);
    const here = scratch(t);
    mkdirSync(join(here, 'in/deep'), { recursive: true });
    writeFileSync(join(here, 'in/deep/x'), 'x');
    writeFileSync(join(here, 'one'), '1');
    const cp = async (...args: string[]): Promise<void> => {
      const { exitCode, stderr } = await engine.docker(['cp', ...args]);
      assert.equal(exitCode, 0, `cp ${args.join(' ')}: ${stderr}`);
    };
    await cp(join(here, 'one'), `${id}:/tmp`);
    await cp(join(here, 'one'), `${id}:/tmp/renamed`);
    await cp(join(here, 'in'), `${id}:/tmp/`);
    await cp(join(here, 'in'), `${id}:/tmp/made`);
    await cp(`${here}/in/.`, `${id}:/d`);
    await cp('-a', join(here, 'one'), `${id}:/link/owned`);
    const found = await engine.exec(id, 'cd /tmp; find one renamed in made /d -type f | sort');
    assert.deepEqual(found.stdout.trim().split('\n'), [
      '/d/deep/x',
      '/d/f',
      '/d/owned',
      '/d/sub/g',
      'in/deep/x',
      'made/deep/x',
      'one',
      'renamed',
    ]);
    await cp(`${id}:/d/f`, here);
    await cp(`${id}:/d`, join(here, 'out'));
    await cp(`${id}:/d/.`, join(here, 'in'));
    await cp(`${id}:/file-link`, join(here, 'as-link'));
    await cp('-L', `${id}:/file-link`, join(here, 'as-file'));
    assert.equal(readFileSync(join(here, 'f'), 'utf8'), 'f\n');
    assert.equal(readFileSync(join(here, 'out/sub/g'), 'utf8'), 'g\n');
    assert.equal(readFileSync(join(here, 'in/sub/g'), 'utf8'), 'g\n');
    assert.equal(readlinkSync(join(here, 'as-link')), 'd/f');
    assert.equal(readFileSync(join(here, 'as-file'), 'utf8'), 'f\n');
    const { stdout } = await engine.docker(['cp', `${id}:/d/f`, '-']);
    assert.ok(/\0f\n\0/.test(stdout) && stdout.includes('ustar'), 'a tar with the file');
    const piped = (await tarOf([{ name: 'piped', text: 'p' }])).toString('latin1');
    assert.equal((await engine.docker(['cp', '-', `${id}:/d`], { stdin: piped })).exitCode, 0);
    assert.equal((await engine.exec(id, 'cat /d/piped')).stdout, 'p');
  });

  test('its refusals', async (t) => {
    const id = await runTree(t);
    const here = scratch(t);
    writeFileSync(join(here, 'one'), '1');
    symlinkSync('/d', join(here, 'escape'));
    const fails = async (message: RegExp, ...args: string[]): Promise<void> => {
      const { exitCode, stderr } = await engine.docker(['cp', ...args]);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, message);
    };
    // Up to 20.10 the CLI has words of its own for what is not there.
    await fails(
      /Could not find the file \/nosuch in container|No such container:path: .*:\/nosuch$/m,
      `${id}:/nosuch`,
      here,
    );
    await fails(/no such directory/, join(here, 'one'), `${id}:/none/`);
    await fails(
      /Could not find the file \/none in container|No such container:path: .*:\/none$/m,
      join(here, 'one'),
      `${id}:/none/x`,
    );
    await fails(/cannot copy directory/, here, `${id}:/d/f`);
    await fails(/No such container(:path)?: nosuch/, 'nosuch:/x', here);
    await fails(/must be a directory/, '-', `${id}:/d/f`);
    assert.ok(!existsSync(join(here, 'nosuch')));
  });
});
