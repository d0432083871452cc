import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { encodeHeader, type TarHeaderInit, unpack } from '#archive';
import { findEngineError, isKind } from '#errors';
import { type Entry, paths, tarOf, unpackBytes, watchedRoot } from './helpers.ts';

const MODES = ['overlay', 'literal', 'apply'] as const;

function invalid(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isKind(error, 'invalidArgument'), String(error));
    assert.match(String(error), pattern);
    return true;
  };
}

describe('unpack refuses', () => {
  const refused: readonly (readonly [what: string, entries: readonly Entry[], pattern: RegExp])[] = [
    ['a name that climbs out', [[{ name: '../victim' }, 'pwned']], /outside of the root/],
    ['a name that climbs out later', [[{ name: 'a/../../victim' }, 'pwned']], /outside of the root/],
    ['a directory that climbs out', [[{ name: '..', type: 'directory', mode: 0o777 }]], /outside of the root/],
    [
      'a hard link to something outside',
      [[{ name: 'h', type: 'hardlink', linkName: '../victim' }]],
      /invalid hardlink/,
    ],
    [
      'a hard link to nothing',
      [[{ name: 'h', type: 'hardlink', linkName: '/etc/passwd' }]],
      /failed to unpack "h".*no such file/,
    ],
    [
      'a hard link through a chain of links to the host',
      [
        [{ name: 'a', type: 'symlink', linkName: '/..' }],
        [{ name: 'b', type: 'symlink', linkName: 'a/../../../etc' }],
        [{ name: 'h', type: 'hardlink', linkName: 'b/passwd' }],
      ],
      /failed to unpack "h"/,
    ],
    ['a file in place of the root', [[{ name: '.' }, 'x']], /replace the root/],
    [
      'files below a file',
      [
        [{ name: 'f' }, ''],
        [{ name: 'f/g' }, ''],
      ],
      /failed to unpack "f\/g".*not a directory/,
    ],
    [
      'files below a link to nowhere',
      [[{ name: 'l', type: 'symlink', linkName: '/nowhere' }], [{ name: 'l/g' }, '']],
      /failed to unpack "l\/g"/,
    ],
    [
      'files below a loop of links',
      [
        [{ name: 'a', type: 'symlink', linkName: 'b' }],
        [{ name: 'b', type: 'symlink', linkName: 'a' }],
        [{ name: 'a/g' }, ''],
      ],
      /too many symbolic links/,
    ],
    ['names longer than the system has', [[{ name: 'n'.repeat(256) }, '']], /name too long/],
    [
      'paths longer than the system has',
      [[{ name: Array(300).fill('directory-name').join('/') }, '']],
      /name too long/,
    ],
    ['ids beyond 32 bits', [[{ name: 'f', uid: 2 ** 32 }, '']], /owner 4294967296:0 .* out of range/],
    ['the id that means none', [[{ name: 'f', gid: 2 ** 32 - 1 }, '']], /out of range/],
  ];
  for (const [what, entries, pattern] of refused) {
    test(what, async (t) => {
      for (const whiteouts of MODES) {
        const { root, verify } = watchedRoot(t);
        await assert.rejects(unpackBytes(t, await tarOf(entries), { root, whiteouts }), invalid(pattern));
        verify();
      }
    });
  }

  for (const name of ['.wh.', '.wh..', '.wh...', 'd/.wh...', 'd/.wh..']) {
    test(`the whiteout ${name}`, async (t) => {
      for (const whiteouts of ['overlay', 'apply'] as const) {
        const { root, verify } = watchedRoot(t);
        await assert.rejects(
          unpackBytes(t, await tarOf([[{ name }, '']]), { root, whiteouts }),
          invalid(/invalid whiteout/),
        );
        verify();
      }
    });
  }

  test('truncated and damaged archives', async (t) => {
    const { root, verify } = watchedRoot(t);
    const tar = await tarOf([[{ name: 'f' }, 'x'.repeat(5000)]]);
    await assert.rejects(unpackBytes(t, tar.subarray(0, 3000), { root }), invalid(/unexpected EOF/));
    await assert.rejects(unpackBytes(t, gzipSync(tar).subarray(0, -9), { root }), invalid(/unexpected EOF/));
    await assert.rejects(
      unpackBytes(t, Buffer.concat([tar, Buffer.from('junk')]), { root }),
      invalid(/trailing garbage/),
    );
    await assert.rejects(unpackBytes(t, Buffer.from('x'.repeat(1000)), { root }), invalid(/invalid tar archive/));
    verify();
  });
});

describe('unpack keeps inside the root', () => {
  test('absolute names', async (t) => {
    const { root, verify } = watchedRoot(t);
    await unpackBytes(
      t,
      await tarOf([
        [{ name: '/pwned' }, 'x'],
        [{ name: '//etc/pwned' }, 'x'],
      ]),
      { root },
    );
    assert.deepEqual(paths(root), ['etc', 'etc/pwned', 'pwned']);
    verify();
  });

  test('writes through links the archive made', async (t) => {
    const { root, outside, verify } = watchedRoot(t);
    const tar = await tarOf([
      [{ name: 'etc', type: 'directory' }],
      [{ name: 'absolute', type: 'symlink', linkName: '/etc' }],
      [{ name: 'climbing', type: 'symlink', linkName: '../../../../../../etc' }],
      [{ name: 'named', type: 'symlink', linkName: `${outside}/directory` }],
      [{ name: 'absolute/one' }, '1'],
      [{ name: 'climbing/two' }, '2'],
      [{ name: 'final', type: 'symlink', linkName: '/etc/passwd' }],
      [{ name: 'final' }, 'replaced, not followed'],
    ]);
    await unpackBytes(t, tar, { root });
    assert.deepEqual(paths(join(root, 'etc')), ['one', 'two']);
    assert.ok(lstatSync(join(root, 'final')).isFile());
    const through = await tarOf([[{ name: 'named/victim' }, 'pwned']]);
    await assert.rejects(unpackBytes(t, through, { root }), invalid(/failed to unpack/));
    verify();
  });

  test('whiteouts and replacements behind links', async (t) => {
    const { root, outside, verify } = watchedRoot(t);
    symlinkSync(join(outside, 'directory'), join(root, 'link'));
    symlinkSync('..', join(root, 'up'));
    const tar = await tarOf([
      [{ name: 'link/.wh.victim' }, ''],
      [{ name: 'up/.wh.victim' }, ''],
      [{ name: 'up/.wh..wh..opq' }, ''],
    ]);
    await unpackBytes(t, tar, { root, whiteouts: 'apply' });
    verify();
    mkdirSync(join(root, 'd'));
    symlinkSync(outside, join(root, 'd/escape'));
    await unpackBytes(t, await tarOf([[{ name: 'd' }, 'file over a tree with a link in it']]), {
      root,
      whiteouts: 'apply',
    });
    verify();
  });

  test('device nodes are just nodes there', async (t) => {
    const { root, verify } = watchedRoot(t);
    const tar = await tarOf([
      [{ name: 'dev/sda', type: 'block', deviceMajor: 8, deviceMinor: 0, mode: 0o666 }],
      [{ name: 'dev/mem', type: 'char', deviceMajor: 1, deviceMinor: 1 }],
    ]);
    await unpackBytes(t, tar, { root, whiteouts: 'overlay' });
    assert.ok(lstatSync(join(root, 'dev/sda')).isBlockDevice());
    // An entry never goes into a device that an earlier one made: it takes its place.
    await unpackBytes(t, await tarOf([[{ name: 'dev/mem' }, 'file']]), { root, whiteouts: 'overlay' });
    assert.equal(readFileSync(join(root, 'dev/mem'), 'utf8'), 'file');
    verify();
  });
});

describe('unpack stops bombs', () => {
  test('of too many entries', async (t) => {
    const { root } = watchedRoot(t);
    const tar = await tarOf(Array.from({ length: 50 }, (_, i) => [{ name: `f${i}` }, ''] as const));
    await assert.rejects(unpackBytes(t, tar, { root, limits: { maxEntries: 49 } }), invalid(/more than 49 entries/));
    assert.equal(paths(root).length, 49);
  });

  test('of bytes, before writing the file that is too much', async (t) => {
    const { root } = watchedRoot(t);
    const size = 200 * 1024 * 1024;
    async function* zeros(): AsyncGenerator<Buffer> {
      yield Buffer.concat([
        encodeHeader({ name: 'small', sizeBytes: 0 }),
        encodeHeader({ name: 'bomb', sizeBytes: size }),
      ]);
      for (let i = 0; i < 200; i++) yield Buffer.alloc(1024 * 1024);
    }
    const stream = Readable.from(zeros()).pipe(createGzip({ level: 1 }));
    const limits = { maxUnpackedBytes: 100 * 1024 * 1024 };
    await assert.rejects(unpack({ source: { stream }, root, whiteouts: 'overlay', limits }), invalid(/bytes unpacked/));
    assert.ok(!existsSync(join(root, 'bomb')));
  });

  test('without holding what they expand to in memory', async (t) => {
    const { root } = watchedRoot(t);
    const size = 400 * 1024 * 1024;
    async function* zeros(): AsyncGenerator<Buffer> {
      yield encodeHeader({ name: 'bomb', sizeBytes: size });
      for (let i = 0; i < 400; i++) yield Buffer.alloc(1024 * 1024);
    }
    const bomb = Buffer.concat(
      (await Readable.from(zeros())
        .pipe(createGzip({ level: 1 }))
        .toArray()) as Buffer[],
    );
    let peak = 0;
    const before = process.memoryUsage.rss();
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
    await unpack({ source: { stream: Readable.from([bomb]) }, root, whiteouts: 'overlay' });
    clearInterval(watch);
    assert.ok(peak - before < 200 * 1024 * 1024, `${peak - before} bytes more`);
  });

  test('of extension headers', async (t) => {
    const { root } = watchedRoot(t);
    const tar = await tarOf([[{ name: 'f', xattrs: new Map([['user.big', Buffer.alloc(2 * 1024 * 1024)]]) }, '']]);
    await assert.rejects(unpackBytes(t, tar, { root }), invalid(/extension headers of \d+ bytes/));
    assert.deepEqual(paths(root), []);
  });
});

const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', '.wh.a', '.wh..wh..opq', '.wh...', 'victim');
const hostileName = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/') || 'x');
const target = fc.oneof(
  hostileName,
  fc.constantFrom(
    '/',
    '/..',
    '../../..',
    '../victim',
    '/etc/passwd',
    '../directory',
    '/proc/self/root',
    '/proc/self/cwd',
  ),
);
const hostileEntry: fc.Arbitrary<TarHeaderInit> = fc.record({
  name: hostileName,
  type: fc.constantFrom('file', 'directory', 'symlink', 'symlink', 'hardlink', 'fifo', 'char'),
  linkName: target,
  mode: fc.constantFrom(0o777, 0o4755, 0o2777, 0),
  uid: fc.constantFrom(0, 1000, 0xffff_fffe),
});

test('unpack of any mix of hostile entries changes nothing outside, and says why it stopped', async (t) => {
  const { root, verify } = watchedRoot(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(hostileEntry, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...MODES),
      async (headers, whiteouts) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        const entries = headers.map((header) => [header, header.type === 'file' ? 'pwned' : ''] as const);
        try {
          await unpackBytes(t, await tarOf(entries), { root, whiteouts });
        } catch (error) {
          assert.equal(findEngineError(error)?.kind, 'invalidArgument', String(error));
        }
        verify();
      },
    ),
    { numRuns: 400 },
  );
});
