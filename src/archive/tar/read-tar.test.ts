import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isKind } from '#errors';
import { END, extension, headerBlock, padded } from './fixtures.ts';
import type { TarHeaderInit } from './header.ts';
import { readTar } from './read-tar.ts';
import { createTarWriter } from './writer.ts';

function chunked(bytes: Buffer, step: number): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    })(),
  );
}

async function write(entries: readonly { header: TarHeaderInit; body: Buffer }[]): Promise<Buffer> {
  const writer = createTarWriter();
  const collected = writer.stream.toArray() as Promise<Buffer[]>;
  for (const { header, body } of entries) await writer.add(header, body);
  await writer.end();
  return Buffer.concat(await collected);
}

const threeFiles = Buffer.concat([
  ...['a', 'b', 'c'].flatMap((name) => [headerBlock({ name, size: 2000 }), padded(name.repeat(2000))]),
  END,
]);

describe('readTar', () => {
  test('gives entries whose bodies may be read, read in part or left', async () => {
    const read: string[] = [];
    for await (const entry of readTar(chunked(threeFiles, 100))) {
      if (entry.header.name === 'a') {
        for await (const part of entry.body) {
          read.push(part.toString());
          break;
        }
      }
      if (entry.header.name === 'c') read.push((await entry.bytes(2000)).toString());
    }
    assert.equal(read.length, 2);
    assert.match(read[0] ?? '', /^a+$/);
    assert.equal(read[1], 'c'.repeat(2000));
  });

  test('takes no more from the source than is consumed', async () => {
    let given = 0;
    const source = Readable.from(
      (function* () {
        for (let at = 0; at < threeFiles.length; at += 512) {
          given++;
          yield threeFiles.subarray(at, at + 512);
        }
      })(),
      { highWaterMark: 1 },
    );
    for await (const entry of readTar(source)) {
      assert.equal(entry.header.name, 'a');
      break;
    }
    assert.ok(given <= 3, `${given} chunks`);
    assert.ok(source.destroyed);
  });

  test('fills the holes of sparse files with zeros', async () => {
    const body = '20 GNU.sparse.size=9\n22 GNU.sparse.map=2,3\n'.replace('20', '21');
    const tar = Buffer.concat([extension('x', body), headerBlock({ size: 3 }), padded('abc'), END]);
    for await (const entry of readTar(chunked(tar, 7)))
      assert.equal((await entry.bytes(9)).toString(), '\0\0abc\0\0\0\0');
  });

  test('fails when a body is longer than the reader wants it, or the archive is cut off', async () => {
    await assert.rejects(
      async () => {
        for await (const entry of readTar(chunked(threeFiles, 512))) await entry.bytes(1999);
      },
      (error) => isKind(error, 'invalidArgument'),
    );
    await assert.rejects(async () => {
      for await (const entry of readTar(chunked(threeFiles.subarray(0, 3000), 512))) await entry.skip();
    }, /unexpected EOF/);
  });
});

const name = fc
  .array(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((part) => part.replaceAll(/[/\0]/g, '_')),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((parts) => parts.join('/'));
const header = fc.record({
  name,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0xffff_fffe }),
  gid: fc.integer({ min: 0, max: 0xffff_fffe }),
  uname: fc.string({ maxLength: 50 }).map((text) => text.replaceAll('\0', '')),
  mtimeNs: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }),
  xattrs: fc
    .array(fc.tuple(fc.stringMatching(/^user\.[a-z.]{1,9}$/), fc.uint8Array({ maxLength: 40 })), { maxLength: 3 })
    .map((pairs) => new Map(pairs.map(([key, value]) => [key, Buffer.from(value)]))),
});
const entry = fc.oneof(
  fc.record({ header, body: fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)) }),
  fc
    .record({ header, type: fc.constantFrom('symlink' as const, 'hardlink' as const), linkName: name })
    .map(({ header: base, type, linkName }) => ({ header: { ...base, type, linkName }, body: Buffer.alloc(0) })),
  fc
    .record({
      header,
      type: fc.constantFrom('char' as const, 'block' as const),
      deviceMinor: fc.integer({ min: 0, max: 0xfffff }),
    })
    .map(({ header: base, type, deviceMinor }) => ({
      header: { ...base, type, deviceMajor: 4095, deviceMinor },
      body: Buffer.alloc(0),
    })),
);

test('what createTarWriter writes readTar reads back, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), async (entries, step) => {
      const tar = await write(entries);
      assert.deepEqual(await write(entries), tar);
      const read: { header: TarHeaderInit; body: Buffer }[] = [];
      for await (const item of readTar(chunked(tar, step)))
        read.push({ header: item.header, body: await item.bytes(2 ** 20) });
      assert.equal(read.length, entries.length);
      for (const [i, { header: wanted, body }] of entries.entries()) {
        const got = read[i];
        assert.ok(got);
        for (const [key, value] of Object.entries(wanted))
          assert.deepEqual(got.header[key as keyof TarHeaderInit], value, key);
        assert.deepEqual(got.body, body);
      }
    }),
    { numRuns: 60 },
  );
});
