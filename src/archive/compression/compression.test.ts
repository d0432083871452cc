import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { isKind } from '#errors';
import { createCompressor } from './compress.ts';
import { decompress } from './decompress.ts';
import { detectCompression } from './detect.ts';

const SKIPPABLE = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 0xfd, 0x2f, 0xb5]);
const EMPTY_SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);

async function through(bytes: Buffer, step: number): Promise<Buffer> {
  const source = Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    })(),
  );
  return Buffer.concat((await decompress(source).toArray()) as Buffer[]);
}

async function gives(bytes: Buffer, expected: string | Buffer): Promise<void> {
  for (const step of [bytes.length || 1, 1, 7, 50]) {
    if (bytes.length / step > 5000) continue;
    assert.ok((await through(bytes, step)).equals(Buffer.from(expected)), `in steps of ${step}`);
  }
}

const XZ = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQAKaGVsbG8gd29ybGQAANpSI+/NfgNTAAEjC8Ib/QkftvN9AQAAAAAEWVo=',
  'base64',
);
const BZIP2 = Buffer.from('QlpoOTFBWSZTWUT3E3gAAAGRgEAABkSQgCAAIgM0hDAhtoFUJ4u5IpwoSCJ7ibwA', 'base64');

describe('decompress', () => {
  test('passes plain data on, however short', async () => {
    await gives(Buffer.from('plain data'), 'plain data');
    await gives(Buffer.from('p'), 'p');
    await gives(Buffer.alloc(0), '');
  });

  test('reads all members of a gzip file, and zeros after them', async () => {
    await gives(Buffer.concat([gzipSync('hello '), gzipSync('world'), Buffer.alloc(100)]), 'hello world');
  });

  test('reads all frames of a zstd file and skips skippable ones', async () => {
    const frames = [
      SKIPPABLE,
      zstdCompressSync('hello '),
      EMPTY_SKIPPABLE,
      SKIPPABLE,
      zstdCompressSync('world'),
      SKIPPABLE,
    ];
    await gives(Buffer.concat(frames), 'hello world');
  });

  test('reads zstd frames of several blocks', async () => {
    const big = Buffer.alloc(700_000, 'some text that repeats, ');
    const frame = zstdCompressSync(big);
    await gives(Buffer.concat([frame, frame]), Buffer.concat([big, big]));
  });

  test('reads what createCompressor wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('gzip' as const, 'zstd' as const),
        fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 4000 }),
        async (kind, parts, step) => {
          const compressed: Buffer[] = [];
          for (const part of parts) {
            const frame = Readable.from([Buffer.from(part)]).pipe(createCompressor(kind));
            compressed.push(...((await frame.toArray()) as Buffer[]));
          }
          assert.deepEqual(await through(Buffer.concat(compressed), step), Buffer.concat(parts));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('tells truncated and broken data from a failing source', async () => {
    const invalid = (pattern: RegExp) => (error: unknown) =>
      isKind(error, 'invalidArgument') && pattern.test(String(error));
    for (const compressed of [gzipSync('hello world'), zstdCompressSync('hello world')]) {
      await assert.rejects(through(compressed.subarray(0, -3), 5), invalid(/unexpected EOF/));
      await assert.rejects(
        through(Buffer.concat([compressed, Buffer.from('garbage!')]), 5),
        invalid(/invalid (gzip|zstd) data/),
      );
    }
    const broken = zstdCompressSync(Buffer.alloc(5000, 'abcdefg'));
    broken.fill(0xff, 12, 20);
    await assert.rejects(through(broken, 5), invalid(/invalid zstd data|unexpected EOF/));
    async function* failing(): AsyncGenerator<Buffer> {
      yield gzipSync('hello').subarray(0, 12);
      throw new Error('connection reset');
    }
    await assert.rejects(decompress(failing()).toArray(), /connection reset/);
  });

  test('reads xz and bzip2 through programs of the host, and tells broken and truncated data', async () => {
    for (const [kind, compressed] of [
      ['xz', XZ],
      ['bzip2', BZIP2],
    ] as const) {
      await gives(compressed, 'hello world');
      const broken = Buffer.from(compressed);
      broken.fill(0x55, 14, 24);
      for (const bad of [compressed.subarray(0, -5), broken]) {
        await assert.rejects(
          through(bad, 5),
          (error) => isKind(error, 'invalidArgument') && String(error).includes(`invalid ${kind} data: `),
        );
      }
    }
    async function* failing(): AsyncGenerator<Buffer> {
      yield XZ.subarray(0, 12);
      throw new Error('connection reset');
    }
    await assert.rejects(decompress(failing()).toArray(), /connection reset/);
  });

  test('passes on what it is told to keep', async () => {
    const keep = ['gzip'] as const;
    const compressed = gzipSync('hello');
    assert.deepEqual(Buffer.concat(await decompress(Readable.from([compressed]), { keep }).toArray()), compressed);
    assert.equal(String(Buffer.concat(await decompress(Readable.from([XZ]), { keep }).toArray())), 'hello world');
  });

  test('stops when aborted and destroys its source', async () => {
    const abort = new AbortController();
    const source = new Readable({ read: () => undefined });
    const stream = decompress(source, { signal: abort.signal });
    const read = stream.toArray();
    source.push(gzipSync('hello').subarray(0, 12));
    abort.abort();
    await assert.rejects(read, { name: 'AbortError' });
  });
});

test('detectCompression knows the magic bytes', () => {
  assert.equal(detectCompression(gzipSync('')), 'gzip');
  assert.equal(detectCompression(zstdCompressSync('')), 'zstd');
  assert.equal(detectCompression(SKIPPABLE), 'zstd');
  assert.equal(detectCompression(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), 'xz');
  assert.equal(detectCompression(Buffer.from('BZh9')), 'bzip2');
  assert.equal(detectCompression(Buffer.from('etc/passwd')), 'plain');
});
