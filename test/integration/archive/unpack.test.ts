import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { unpack } from '#archive';
import { isKind } from '#errors';
import { createLinuxSys } from '#sys';
import { awkwardTree, describeTree, gnuTar, paths, scratch, tarOf, unpackBytes } from './helpers.ts';

const { files } = createLinuxSys();

describe('unpack makes what GNU tar packed', () => {
  for (const format of ['posix', 'gnu']) {
    test(`every kind of file, ${format} format, as GNU tar itself would`, async (t) => {
      const [from, ours, theirs] = [scratch(t), scratch(t), scratch(t)];
      awkwardTree(from);
      const archive = join(scratch(t), 'archive.tar');
      const xattrs = format === 'posix' ? ['--xattrs', '--xattrs-include=*'] : [];
      gnuTar('--format', format, ...xattrs, '--numeric-owner', '-C', from, '-cf', archive, '.');
      const result = await unpack({ source: { path: archive }, root: ours, whiteouts: 'overlay' });
      gnuTar(...xattrs, '--numeric-owner', '-C', theirs, '-xpf', archive);
      assert.deepEqual(describeTree(ours), describeTree(theirs));
      if (format === 'posix') assert.deepEqual(describeTree(ours), describeTree(from));
      const tar = readFileSync(archive);
      assert.equal(result.diffId, `sha256:${createHash('sha256').update(tar).digest('hex')}`);
      assert.equal(result.tarSizeBytes, tar.length);
    });
  }

  for (const version of ['0.0', '0.1', '1.0', 'old']) {
    test(`sparse files of version ${version}, leaving the holes`, async (t) => {
      const [from, to] = [scratch(t), scratch(t)];
      const sparse = join(from, 'sparse');
      writeSparse(sparse);
      const archive = join(scratch(t), 'archive.tar');
      const format = version === 'old' ? ['--format', 'gnu'] : ['--format', 'posix', '--sparse-version', version];
      gnuTar(...format, '-S', '-C', from, '-cf', archive, '.');
      const { contentSizeBytes } = await unpack({ source: { path: archive }, root: to, whiteouts: 'literal' });
      assert.ok(readFileSync(join(to, 'sparse')).equals(readFileSync(sparse)));
      assert.ok(statSync(join(to, 'sparse')).blocks <= statSync(sparse).blocks + 8);
      assert.equal(contentSizeBytes, statSync(sparse).size);
    });
  }
});

/** Data in many places with holes between, at the start and at the end. */
function writeSparse(path: string): void {
  const fd = openSync(path, 'w');
  for (let i = 1; i <= 40; i++) writeSync(fd, `piece ${i}`, i * 1_000_000);
  ftruncateSync(fd, 50_000_000);
  closeSync(fd);
}

describe('unpack takes its source', () => {
  const entries = [[{ name: 'file', mtimeNs: 5n }, 'x'.repeat(700_000)]] as const;

  test('from a file or a stream, plain, gzip or zstd, with one DiffID', async (t) => {
    const tar = await tarOf(entries);
    const archive = join(scratch(t), 'archive');
    const ids = new Set<string>();
    for (const bytes of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
      writeFileSync(archive, bytes);
      for (const source of [{ path: archive }, { stream: createReadStream(archive, { highWaterMark: 1000 }) }]) {
        const root = scratch(t);
        ids.add((await unpack({ source, root, whiteouts: 'overlay' })).diffId);
        assert.equal(statSync(join(root, 'file')).size, 700_000);
      }
    }
    assert.equal(ids.size, 1);
  });

  test('many at once', async (t) => {
    const tar = await tarOf(entries);
    const roots = Array.from({ length: 20 }, () => scratch(t));
    await Promise.all(
      roots.map((root) => unpack({ source: { stream: Readable.from([tar]) }, root, whiteouts: 'overlay' })),
    );
    for (const root of roots) assert.deepEqual(paths(root), ['file']);
  });

  test('and passes on the failure of a stream', async (t) => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield (await tarOf(entries)).subarray(0, 300_000);
      throw new Error('connection reset');
    }
    const stream = Readable.from(failing());
    await assert.rejects(unpack({ source: { stream }, root: scratch(t), whiteouts: 'overlay' }), /connection reset/);
  });

  test('and reports a missing file or root', async (t) => {
    await assert.rejects(unpack({ source: { path: '/nonexistent' }, root: scratch(t), whiteouts: 'overlay' }), {
      code: 'ENOENT',
    });
    const tar = await tarOf(entries);
    await assert.rejects(unpackBytes(t, tar, { root: join(scratch(t), 'missing') }), (error) =>
      isKind(error, 'notFound'),
    );
  });

  test('until the signal aborts, also while it stalls', async (t) => {
    const stream = new PassThrough();
    stream.write((await tarOf(entries)).subarray(0, 5000));
    const abort = new AbortController();
    const reason = new Error('changed my mind');
    const unpacking = unpack({ source: { stream }, root: scratch(t), whiteouts: 'overlay', signal: abort.signal });
    setTimeout(() => abort.abort(reason), 100);
    await assert.rejects(unpacking, (error) => error === reason);
    assert.ok(stream.destroyed);
    const { signal } = abort;
    await assert.rejects(
      unpack({ source: { stream: Readable.from([]) }, root: '/', whiteouts: 'overlay', signal }),
      (error) => error === reason,
    );
  });
});

test('unpack stops in the middle of a file when its signal aborts, and writes no more', async (t) => {
  const root = scratch(t);
  const archive = join(scratch(t), 'archive.tar');
  writeFileSync(archive, await tarOf([[{ name: 'big' }, Buffer.alloc(300_000_000)]]));
  await unpackBytes(t, await tarOf([]), { root });
  const abort = new AbortController();
  const unpacking = unpack({ source: { path: archive }, root, whiteouts: 'overlay', signal: abort.signal });
  const big = join(root, 'big');
  while (!existsSync(big)) await new Promise((resolve) => setTimeout(resolve, 1));
  abort.abort();
  await assert.rejects(unpacking, { name: 'AbortError' });
  const written = statSync(big).size;
  assert.ok(written < 300_000_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(statSync(big).size, written);
});

describe('unpack replaces', () => {
  test('earlier entries by later ones of any kind', async (t) => {
    const root = scratch(t);
    const tar = await tarOf([
      [{ name: 'a', type: 'directory' }],
      [{ name: 'a/child' }, 'x'],
      [{ name: 'a' }, 'now a file'],
      [{ name: 'b' }, 'file'],
      [{ name: 'b', type: 'directory', mode: 0o700, mtimeNs: 7n }],
      [{ name: 'b/child' }, 'y'],
      [{ name: 'c', type: 'symlink', linkName: 'b' }],
      [{ name: 'c' }, 'no longer a link'],
      [{ name: 'd' }, 'first'],
      [{ name: 'd' }, 'second'],
      [{ name: 'e', type: 'directory', mode: 0o700 }],
      [{ name: 'e/kept' }, 'k'],
      [{ name: 'e', type: 'directory', mode: 0o711, uid: 3 }],
      [{ name: 'f', type: 'symlink', linkName: 'b' }],
      [{ name: 'f', type: 'directory' }],
      [{ name: 'g' }, 'g'],
      [{ name: 'g', type: 'hardlink', linkName: './g' }],
      [{ name: 'g', type: 'hardlink', linkName: 'd' }],
    ]);
    await unpackBytes(t, tar, { root, whiteouts: 'overlay' });
    assert.deepEqual(paths(root), ['a', 'b', 'b/child', 'c', 'd', 'e', 'e/kept', 'f', 'g']);
    assert.equal(readFileSync(join(root, 'c'), 'utf8'), 'no longer a link');
    assert.equal(readFileSync(join(root, 'g'), 'utf8'), 'second');
    assert.equal(lstatSync(join(root, 'e')).mode & 0o7777, 0o711);
    assert.equal(lstatSync(join(root, 'e')).uid, 3);
    assert.equal(lstatSync(join(root, 'b'), { bigint: true }).mtimeNs, 7n);
    assert.ok(lstatSync(join(root, 'f')).isDirectory());
  });

  test('nothing of another kind when asked not to', async (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'directory'));
    writeFileSync(join(root, 'file'), 'old');
    const refused = async (entry: Parameters<typeof tarOf>[0][number], pattern: RegExp): Promise<void> => {
      await assert.rejects(unpackBytes(t, await tarOf([entry]), { root, noOverwriteDirNonDir: true }), pattern);
    };
    await refused([{ name: 'directory' }, 'x'], /cannot overwrite directory "\/directory" with non-directory/);
    await refused([{ name: 'file', type: 'directory' }], /cannot overwrite non-directory "\/file" with directory/);
    await unpackBytes(t, await tarOf([[{ name: 'file' }, 'new']]), { root, noOverwriteDirNonDir: true });
    assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'new');
  });
});

test('unpack makes directories nobody described, root-owned and 0755, in any order', async (t) => {
  const root = scratch(t);
  await unpackBytes(
    t,
    await tarOf([[{ name: 'x/y/z', uid: 9 }, 'z'], [{ name: 'x', type: 'directory', mode: 0o711, uid: 8 }]]),
    { root },
  );
  const [x, y] = [lstatSync(join(root, 'x')), lstatSync(join(root, 'x/y'))];
  assert.deepEqual([x.uid, x.mode & 0o7777, y.uid, y.mode & 0o7777], [8, 0o711, 0, 0o755]);
});

test('unpack gives all files one owner when told', async (t) => {
  const root = scratch(t);
  const tar = await tarOf([[{ name: 'd', type: 'directory', uid: 7 }], [{ name: 'd/f', mode: 0o4755 }, 'f']]);
  await unpackBytes(t, tar, { root, owner: { uid: 11, gid: 12 } });
  const stat = lstatSync(join(root, 'd/f'));
  assert.deepEqual([stat.uid, stat.gid, stat.mode & 0o7777], [11, 12, 0o4755]);
  assert.equal(lstatSync(join(root, 'd')).uid, 11);
});

test('unpack applies the entry of the root to a layer, and leaves it alone elsewhere', async (t) => {
  const [layer, directory] = [scratch(t), scratch(t)];
  const tar = await tarOf([
    [{ name: './', type: 'directory', mode: 0o711, uid: 4, mtimeNs: 9n }],
    [{ name: './f' }, ''],
  ]);
  await unpackBytes(t, tar, { root: layer, whiteouts: 'overlay' });
  await unpackBytes(t, tar, { root: directory, whiteouts: 'literal' });
  const stat = lstatSync(layer, { bigint: true });
  assert.deepEqual([stat.mode & 0o7777n, stat.uid, stat.mtimeNs], [0o711n, 4n, 9n]);
  assert.equal(lstatSync(directory).mode & 0o7777, 0o700);
});

describe('unpack reads whiteouts', () => {
  const opaque = (path: string): string | undefined => files.lgetxattr(path, 'trusted.overlay.opaque')?.toString();

  test("as overlayfs's own in a layer", async (t) => {
    const root = scratch(t);
    const tar = await tarOf([
      [{ name: 'etc/.wh.passwd' }, ''],
      [{ name: 'var/.wh..wh..opq' }, ''],
      [{ name: 'var/new' }, 'new'],
      [{ name: '.wh.replaced' }, ''],
      [{ name: 'replaced', type: 'directory' }],
      [{ name: 'kept', type: 'directory' }],
      [{ name: '.wh.kept' }, ''],
      [{ name: 'file' }, 'f'],
      [{ name: '.wh.file' }, ''],
      [{ name: '.wh..wh.aufs' }, ''],
    ]);
    await unpackBytes(t, tar, { root, whiteouts: 'overlay' });
    assert.deepEqual(paths(root), ['etc', 'etc/passwd', 'file', 'kept', 'replaced', 'var', 'var/new']);
    const whiteout = lstatSync(join(root, 'etc/passwd'));
    assert.ok(whiteout.isCharacterDevice() && whiteout.rdev === 0);
    assert.equal(opaque(join(root, 'var')), 'y');
    assert.equal(opaque(join(root, 'replaced')), 'y');
    assert.equal(opaque(join(root, 'kept')), 'y');
    assert.ok(lstatSync(join(root, 'file')).isFile());
  });

  test('as deletions when applied, sparing what the archive has itself', async (t) => {
    const root = scratch(t);
    for (const path of ['gone/a', 'opaque/old', 'opaque/sub/old', 'single']) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), 'old');
    }
    const tar = await tarOf([
      [{ name: '.wh.gone' }, ''],
      [{ name: '.wh.never' }, ''],
      [{ name: 'opaque/sub/new' }, 'new'],
      [{ name: 'opaque/.wh..wh..opq' }, ''],
      [{ name: 'missing/.wh..wh..opq' }, ''],
      [{ name: '.wh.single' }, ''],
      [{ name: 'single' }, 'new'],
    ]);
    await unpackBytes(t, tar, { root, whiteouts: 'apply' });
    assert.deepEqual(paths(root), ['opaque', 'opaque/sub', 'opaque/sub/new', 'single']);
  });

  test('as files when literal', async (t) => {
    const root = scratch(t);
    await unpackBytes(
      t,
      await tarOf([
        [{ name: '.wh.x' }, 'w'],
        [{ name: '.wh..wh..opq' }, ''],
      ]),
      { root },
    );
    assert.deepEqual(paths(root), ['.wh..wh..opq', '.wh.x']);
    assert.equal(opaque(root), undefined);
  });
});

test('unpack leaves out the marks of overlayfs that an archive brings', async (t) => {
  const root = scratch(t);
  const xattrs = new Map([
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['trusted.overlay.opaque', Buffer.from('y')],
    ['trusted.harmless', Buffer.from('yes')],
  ]);
  await unpackBytes(t, await tarOf([[{ name: 'd', type: 'directory', xattrs }]]), { root, whiteouts: 'overlay' });
  assert.deepEqual(files.llistxattr(join(root, 'd')), ['trusted.harmless']);
});

test('unpack follows a link in its root to an absolute place as the container would', async (t) => {
  const root = scratch(t);
  mkdirSync(join(root, 'usr/lib'), { recursive: true });
  symlinkSync('/usr/lib', join(root, 'lib'));
  await unpackBytes(t, await tarOf([[{ name: 'lib/x.so' }, 'so']]), { root });
  assert.deepEqual(readdirSync(join(root, 'usr/lib')), ['x.so']);
});
