import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, test, type TestContext } from 'node:test';
import { listChanges, type PackOptions, packTree, readTar, type TarHeader, unpack } from '#archive';
import { isKind } from '#errors';
import { createLinuxSys } from '#sys';
import { awkwardTree, describeTree, gnuTar, scratch } from './helpers.ts';

const { files, mounts } = createLinuxSys();

async function pack(options: PackOptions): Promise<Buffer> {
  return Buffer.concat((await packTree(options).toArray()) as Buffer[]);
}

async function headers(options: PackOptions): Promise<TarHeader[]> {
  const found: TarHeader[] = [];
  for await (const { header } of readTar(packTree(options))) found.push(header);
  return found;
}

async function names(options: PackOptions): Promise<string[]> {
  return (await headers(options)).map(({ name }) => name);
}

describe('packTree', () => {
  test('packs every kind of file so that we and GNU tar make the same again, twice the same bytes', async (t) => {
    const [from, ours, theirs] = [scratch(t), scratch(t), scratch(t)];
    awkwardTree(from);
    const archive = join(scratch(t), 'archive.tar');
    await pipeline(packTree({ root: from, mode: 'plain' }), createWriteStream(archive));
    assert.ok((await pack({ root: from, mode: 'plain' })).equals(readFileSync(archive)));
    await unpack({ source: { path: archive }, root: ours, whiteouts: 'literal' });
    assert.deepEqual(describeTree(ours), describeTree(from));
    gnuTar('--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', theirs, '-xpf', archive);
    assert.deepEqual(describeTree(theirs), describeTree(from));
  });

  test('leaves out sockets', async (t) => {
    const root = scratch(t);
    const server = createServer().listen(join(root, 'socket'));
    t.after(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(join(root, 'file'), '');
    assert.deepEqual(await names({ root, mode: 'plain' }), ['file']);
  });

  test('starts from a path and gives it another name', async (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'a/b'), { recursive: true });
    writeFileSync(join(root, 'a/b/f'), 'f');
    symlinkSync('/a/b', join(root, 'link'));
    assert.deepEqual(await names({ root, mode: 'plain', path: 'a/b' }), ['b/', 'b/f']);
    assert.deepEqual(await names({ root, mode: 'plain', path: '/a/b', rename: 'x' }), ['x/', 'x/f']);
    assert.deepEqual(await names({ root, mode: 'plain', path: 'a/b/f', rename: 'g' }), ['g']);
    assert.deepEqual(await names({ root, mode: 'plain', path: 'link/f' }), ['f']);
    assert.deepEqual(await names({ root, mode: 'plain', path: 'link/' }), ['link/', 'link/f']);
    const [link] = await headers({ root, mode: 'plain', path: 'link' });
    assert.deepEqual([link?.type, link?.linkName], ['symlink', '/a/b']);
    assert.deepEqual(await names({ root, mode: 'plain', path: '/', rename: 'all' }), [
      'all/',
      'all/a/',
      'all/a/b/',
      'all/a/b/f',
      'all/link',
    ]);
  });

  test('never leaves the root', async (t) => {
    const outside = scratch(t);
    const root = join(outside, 'root');
    mkdirSync(root);
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, join(root, 'link'));
    for (const path of ['../secret', 'link/secret', `${outside}/secret`]) {
      await assert.rejects(pack({ root, mode: 'plain', path }), (error) => isKind(error, 'notFound'));
    }
  });

  test('waits for its reader, and stops when destroyed or aborted', async (t) => {
    const root = scratch(t);
    writeFileSync(join(root, 'big'), Buffer.alloc(30_000_000));
    const stream = packTree({ root, mode: 'plain' });
    const first = await new Promise<Buffer>((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk)));
    assert.ok(first.length > 0);
    stream.pause();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(stream.readableLength < 3_000_000, `${stream.readableLength} bytes waiting`);
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    const abort = new AbortController();
    const aborted = packTree({ root, mode: 'plain', signal: abort.signal });
    await new Promise((resolve) => aborted.once('readable', resolve));
    abort.abort();
    await assert.rejects(aborted.toArray(), { name: 'AbortError' });
  });
});

/** A mounted overlay over two lower layers, as a container has it. */
function overlay(t: TestContext): { upper: string; lowers: string[]; merged: string } {
  const base = scratch(t, (path) => mounts.unmount(join(path, 'merged')));
  const directory = (name: string): string => {
    mkdirSync(join(base, name));
    return join(base, name);
  };
  const [top, bottom, upper, work, merged] = ['top', 'bottom', 'upper', 'work', 'merged'].map(directory) as [
    string,
    string,
    string,
    string,
    string,
  ];
  for (const path of ['etc/conf.d', 'var/cache/deep', 'opt/app', 'srv'])
    mkdirSync(join(bottom, path), { recursive: true });
  for (const path of [
    'etc/passwd',
    'etc/conf.d/a',
    'var/cache/deep/x',
    'opt/app/bin',
    'opt/app/data',
    'srv/s',
    'hidden',
  ]) {
    writeFileSync(join(bottom, path), path);
  }
  mkdirSync(join(top, 'etc'));
  writeFileSync(join(top, 'etc/hosts'), 'hosts');
  files.mknod(join(top, 'hidden'), 0o020000, 0, 0);
  mounts.mountOverlay({
    lowerDirs: [top, bottom],
    upperDir: upper,
    workDir: work,
    target: merged,
    volatile: true,
    readOnly: false,
  });
  return { upper, lowers: [top, bottom], merged };
}

describe('an overlay', () => {
  function change(merged: string): void {
    const at = (path: string): string => join(merged, path);
    writeFileSync(at('etc/passwd'), 'changed');
    rmSync(at('etc/hosts'));
    rmSync(at('var/cache'), { recursive: true });
    mkdirSync(at('var/new/sub'), { recursive: true });
    writeFileSync(at('var/new/sub/file'), 'n');
    rmSync(at('opt/app'), { recursive: true });
    mkdirSync(at('opt/app'));
    writeFileSync(at('opt/app/data'), 'again');
    rmSync(at('srv'), { recursive: true });
    writeFileSync(at('srv'), 'a file now');
    writeFileSync(at('hidden'), 'shown again');
    execFileSync('chmod', ['711', at('etc/conf.d')]);
  }

  test('packed from its upper directory is a layer that makes the same tree elsewhere', async (t) => {
    const { upper, lowers, merged } = overlay(t);
    change(merged);
    const tar = await pack({ root: upper, mode: 'overlay-upper' });
    const found: string[] = [];
    for await (const { header } of readTar(Readable.from([tar]))) {
      found.push(header.name);
      assert.ok(![...header.xattrs.keys()].some((name) => name.startsWith('trusted.overlay.')));
    }
    for (const name of ['etc/.wh.hosts', 'var/.wh.cache', 'opt/app/.wh..wh..opq'])
      assert.ok(found.includes(name), `${name} in ${found.join(' ')}`);
    const again = scratch(t);
    for (const lower of lowers.toReversed()) {
      const layer = await pack({ root: lower, mode: 'overlay-upper' });
      await unpack({ source: { stream: Readable.from([layer]) }, root: again, whiteouts: 'apply' });
    }
    await unpack({ source: { stream: Readable.from([tar]) }, root: again, whiteouts: 'apply' });
    const plain = (root: string): string[] => describeTree(root).map((line) => line.replace(/ mtime=\d+/, ''));
    assert.deepEqual(plain(again), plain(merged));
  });

  test('has these changes against its lower directories', async (t) => {
    const { upper, lowers, merged } = overlay(t);
    assert.deepEqual(await listChanges({ upper, lowers }), []);
    change(merged);
    const changes = (await listChanges({ upper, lowers })).map(({ path, kind }) => `${kind} ${path}`);
    assert.deepEqual(changes, [
      'modified /etc',
      'modified /etc/conf.d',
      'deleted /etc/hosts',
      'modified /etc/passwd',
      'added /hidden',
      'modified /opt',
      'modified /opt/app',
      'deleted /opt/app/bin',
      'modified /opt/app/data',
      'modified /srv',
      'deleted /srv/s',
      'modified /var',
      'deleted /var/cache',
      'added /var/new',
      'added /var/new/sub',
      'added /var/new/sub/file',
    ]);
  });

  test('is compared without following links that a container put in its upper directory', async (t) => {
    const { upper, lowers, merged } = overlay(t);
    rmSync(join(merged, 'etc'), { recursive: true });
    symlinkSync('/etc', join(merged, 'etc'));
    const changes = await listChanges({ upper, lowers });
    assert.deepEqual(
      changes.map(({ path, kind }) => `${kind} ${path}`),
      ['modified /etc', 'deleted /etc/conf.d', 'deleted /etc/hosts', 'deleted /etc/passwd'],
    );
  });
});
