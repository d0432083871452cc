import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ArchiveLimits } from '../contract.ts';
import { EngineError } from '#errors';
import { encodeHeader } from './encode-header.ts';
import { END, extension, headerBlock, padded } from './fixtures.ts';
import type { TarHeader } from './header.ts';
import { TarParser } from './parser.ts';
import { formatPaxRecord } from './pax.ts';
import { encodeText } from './text.ts';

interface Seen {
  header: TarHeader;
  pieces: [position: number, text: string][];
}

function parse(bytes: Buffer, step: number, limits: Partial<ArchiveLimits> = {}): Seen[] {
  const seen: Seen[] = [];
  const parser = new TarParser(
    {
      entry: (header) => seen.push({ header, pieces: [] }),
      data: (chunk, start, length, position) => {
        const pieces = seen.at(-1)?.pieces ?? [];
        const text = chunk.toString('latin1', start, start + length);
        const last = pieces.at(-1);
        if (last && last[0] + last[1].length === position) last[1] += text;
        else pieces.push([position, text]);
      },
      entryEnd: () => undefined,
    },
    limits,
  );
  for (let at = 0; at < bytes.length; at += step) parser.push(bytes.subarray(at, at + step));
  parser.end();
  return seen;
}

/** Every archive is read whole and one byte at a time; both must agree. */
function parseBoth(...parts: Buffer[]): Seen[] {
  const bytes = Buffer.concat(parts);
  const whole = parse(bytes, bytes.length);
  assert.deepEqual(parse(bytes, 1), whole);
  assert.deepEqual(parse(bytes, 513), whole);
  return whole;
}

function only(...parts: Buffer[]): Seen {
  const seen = parseBoth(...parts, END);
  assert.equal(seen.length, 1);
  const [first] = seen;
  assert.ok(first);
  return first;
}

function pax(...records: [string, string | Buffer][]): Buffer {
  return Buffer.concat(records.map(([key, value]) => formatPaxRecord(key, Buffer.from(value))));
}

function rejects(expected: RegExp, bytes: Buffer, limits: Partial<ArchiveLimits> = {}): void {
  for (const step of [bytes.length || 1, 1]) {
    assert.throws(
      () => parse(bytes, step, limits),
      (error) => error instanceof EngineError && error.kind === 'invalidArgument' && expected.test(error.message),
    );
  }
}

describe('TarParser reads', () => {
  test('ustar with a prefix', () => {
    const { header, pieces } = only(headerBlock({ name: 'b', prefix: 'a/long', size: 3 }), padded('abc'));
    assert.equal(header.name, 'a/long/b');
    assert.deepEqual(pieces, [[0, 'abc']]);
  });

  test('v7: no magic, and a trailing slash makes a directory', () => {
    const { header } = only(headerBlock({ name: 'dir/', flag: '\0', magic: '', mode: '  755 \0' }));
    assert.equal(header.type, 'directory');
    assert.equal(header.mode, 0o755);
  });

  test('the GNU dialect, where the prefix field holds times', () => {
    assert.equal(only(headerBlock({ name: 'x', magic: 'ustar  \0', prefix: '13370000000' })).header.name, 'x');
  });

  test('GNU long names and links', () => {
    const name = 'n'.repeat(300);
    const link = 'l'.repeat(2000);
    const { header } = only(extension('L', `${name}\0`), extension('K', `${link}\0`), headerBlock({ flag: '2' }));
    assert.equal(header.name, name);
    assert.equal(header.linkName, link);
  });

  test('base-256 numbers: sizes over 8 GiB, large ids, times before 1970', () => {
    const uid = Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe]);
    const mtime = Buffer.alloc(12, 0xff);
    const { header } = only(headerBlock({ uid, mtime }));
    assert.equal(header.uid, 0xffff_fffe);
    assert.equal(header.mtimeNs, -1_000_000_000n);
    const size = Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1]);
    const big = headerBlock({ size });
    const seen: number[] = [];
    const handler = {
      entry: (h: TarHeader) => seen.push(h.sizeBytes),
      data: () => undefined,
      entryEnd: () => undefined,
    };
    new TarParser(handler).push(big);
    assert.deepEqual(seen, [2 ** 34 + 1]);
  });

  test('PAX: names, sizes, ids, times with nanoseconds', () => {
    const records = pax(
      ['path', 'ä/\u{1f600}'],
      ['size', '2'],
      ['uid', '4294967294'],
      ['mtime', '1700000000.123456789'],
    );
    const { header, pieces } = only(extension('x', records), headerBlock({ size: 999 }), padded('hi'));
    assert.equal(header.name, 'ä/\u{1f600}');
    assert.equal(header.uid, 4294967294);
    assert.equal(header.mtimeNs, 1_700_000_000_123_456_789n);
    assert.deepEqual(pieces, [[0, 'hi']]);
  });

  test('PAX times before 1970', () => {
    assert.equal(only(extension('x', pax(['mtime', '-1.5'])), headerBlock({})).header.mtimeNs, -1_500_000_000n);
  });

  test('the PAX size belongs to the entry, not to a GNU long name in between', () => {
    const parts = [extension('x', pax(['size', '600'])), extension('L', 'long\0'), headerBlock({ size: 0 })];
    const { header, pieces } = only(...parts, padded('z'.repeat(600)));
    assert.equal(header.name, 'long');
    assert.equal(pieces[0]?.[1].length, 600);
  });

  test('xattrs with any bytes, of SCHILY and of libarchive', () => {
    const value = Buffer.from([0, 0x0a, 0x3d, 0xff, 0x80, 0]);
    const records = pax(
      ['LIBARCHIVE.xattr.user.a%20b', value.toString('base64')],
      ['SCHILY.xattr.security.capability', value],
      ['SCHILY.xattr.user.both', 'schily'],
      ['LIBARCHIVE.xattr.user.both', Buffer.from('other').toString('base64')],
    );
    const { header } = only(extension('x', records), headerBlock({}));
    assert.deepEqual(header.xattrs.get('security.capability'), value);
    assert.deepEqual(header.xattrs.get('user.a b'), value);
    assert.deepEqual(header.xattrs.get('user.both'), Buffer.from('schily'));
  });

  test('global PAX headers until a local record, even an empty one, says otherwise', () => {
    const seen = parseBoth(
      extension('g', pax(['uid', '7'], ['SCHILY.xattr.user.g', '1'])),
      headerBlock({ name: 'a' }),
      extension('x', pax(['uid', '8'], ['SCHILY.xattr.user.l', '2'])),
      headerBlock({ name: 'b' }),
      extension('x', pax(['uid', ''])),
      headerBlock({ name: 'c', uid: '0000011\0' }),
      END,
    );
    assert.deepEqual(
      seen.map(({ header }) => [header.uid, [...header.xattrs.keys()]]),
      [
        [7, ['user.g']],
        [8, ['user.g', 'user.l']],
        [9, ['user.g']],
      ],
    );
  });

  test('names that are not UTF-8', () => {
    const name = Buffer.from('caf\xe9', 'latin1');
    assert.deepEqual(encodeText(only(headerBlock({ name })).header.name), name);
  });

  test('links and directories with a size but no data', () => {
    const seen = parseBoth(
      headerBlock({ flag: '1', link: 't', size: 700 }),
      headerBlock({ name: 'd', flag: '5', size: 9 }),
      END,
    );
    assert.deepEqual(
      seen.map(({ header }) => [header.type, header.sizeBytes]),
      [
        ['hardlink', 0],
        ['directory', 0],
      ],
    );
  });

  test('an empty archive, with and without its closing blocks', () => {
    assert.deepEqual(parseBoth(END), []);
    assert.deepEqual(parse(Buffer.alloc(0), 1), []);
    assert.equal(parseBoth(headerBlock({})).length, 1);
    assert.equal(parseBoth(headerBlock({}), END, Buffer.alloc(8000)).length, 1);
  });
});

describe('TarParser reads sparse files', () => {
  const octal = (value: number): string => `${value.toString(8).padStart(11, '0')}\0`;
  const expected: Seen['pieces'] = [
    [1000, 'abc'],
    [5000, 'defgh'],
  ];

  function check(...parts: Buffer[]): void {
    const { header, pieces } = only(...parts);
    assert.equal(header.name, 'sparse');
    assert.equal(header.sizeBytes, 6000);
    assert.deepEqual(pieces, expected);
  }

  test('old GNU, in one block', () => {
    const map = octal(1000) + octal(3) + octal(5000) + octal(5) + octal(6000) + octal(0);
    const raw = [
      [386, map],
      [483, octal(6000)],
    ] as const;
    check(headerBlock({ name: 'sparse', flag: 'S', magic: 'ustar  \0', size: 8, raw }), padded('abcdefgh'));
  });

  test('old GNU, with extension blocks', () => {
    const raw = [
      [386, octal(1000) + octal(3)],
      [482, '\x01'],
      [483, octal(6000)],
    ] as const;
    const extended = Buffer.alloc(512);
    extended.write(octal(5000) + octal(5), 'latin1');
    check(headerBlock({ name: 'sparse', flag: 'S', magic: 'ustar  \0', size: 8, raw }), extended, padded('abcdefgh'));
  });

  test('PAX 0.0', () => {
    const records = pax(
      ['GNU.sparse.size', '6000'],
      ['GNU.sparse.numblocks', '2'],
      ['GNU.sparse.offset', '1000'],
      ['GNU.sparse.numbytes', '3'],
      ['GNU.sparse.offset', '5000'],
      ['GNU.sparse.numbytes', '5'],
    );
    check(extension('x', records), headerBlock({ name: 'sparse', size: 8 }), padded('abcdefgh'));
  });

  test('PAX 0.1', () => {
    const records = pax(
      ['GNU.sparse.name', 'sparse'],
      ['GNU.sparse.size', '6000'],
      ['GNU.sparse.map', '1000,3,5000,5'],
    );
    check(extension('x', records), headerBlock({ name: 'GNUSparseFile.1/sparse', size: 8 }), padded('abcdefgh'));
  });

  test('PAX 1.0', () => {
    const records = pax(
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'sparse'],
      ['GNU.sparse.realsize', '6000'],
    );
    const data = Buffer.concat([padded('2\n1000\n3\n5000\n5\n'), padded('abcdefgh')]);
    check(extension('x', records), headerBlock({ size: 512 + 8 }), data);
  });

  test('but refuses maps that overlap, leave the file or do not add up', () => {
    for (const map of ['1000,3,1001,5', '1000,3,5998,5', '1000,3', '1000,3,5000', '0,-3,5,11', '9,8']) {
      const records = pax(['GNU.sparse.size', '6000'], ['GNU.sparse.map', map]);
      const good = map === '9,8';
      const bytes = Buffer.concat([extension('x', records), headerBlock({ size: 8 }), padded('abcdefgh'), END]);
      if (good) assert.equal(parse(bytes, 100).length, 1);
      else rejects(/sparse map/, bytes);
    }
  });
});

describe('TarParser refuses', () => {
  const file = Buffer.concat([headerBlock({ size: 1000 }), padded('x'.repeat(1000))]);

  test('a wrong checksum', () => {
    const broken = Buffer.from(file);
    broken[0] = 0x7a;
    rejects(/wrong header checksum/, broken);
  });

  test('but not an archive whose last entry lacks its padding, as the docker CLI sends', () => {
    for (const length of [1512, 1535, 1536])
      assert.equal(parse(file.subarray(0, length), 100).length, parse(file, 100).length);
  });

  test('archives cut off anywhere but between entries', () => {
    for (const length of [1, 511, 512, 700, 1511]) rejects(/unexpected EOF/, file.subarray(0, length));
    rejects(/unexpected EOF/, extension('x', pax(['path', 'a'])));
    rejects(/unexpected EOF/, Buffer.concat([extension('L', 'name\0'), END]));
    rejects(/unexpected EOF/, extension('x', pax(['path', 'a'])).subarray(0, 514));
  });

  test('garbage after the end and lone zero blocks', () => {
    rejects(/trailing garbage/, Buffer.concat([file, END, Buffer.from('x')]));
    rejects(/lone zero block/, Buffer.concat([END.subarray(512), file]));
  });

  test('malformed PAX records', () => {
    for (const body of [
      '12 path=x',
      '10 path=ab',
      'path=x\n',
      '9 path=x\n\n',
      '6 path\n',
      '3 \n',
      '8 =value\n',
      '99999999999 a=b\n',
    ]) {
      rejects(/PAX|time|number/, Buffer.concat([extension('x', body), headerBlock({}), END]));
    }
    rejects(/contains a NUL/, Buffer.concat([extension('x', pax(['path', 'a\0b'])), headerBlock({}), END]));
    rejects(/not a time/, Buffer.concat([extension('x', pax(['mtime', '1e9'])), headerBlock({}), END]));
    rejects(/not a number/, Buffer.concat([extension('x', pax(['size', '0x10'])), headerBlock({}), END]));
    rejects(/negative size/, Buffer.concat([extension('x', pax(['size', '-1'])), headerBlock({}), END]));
  });

  test('unknown entry types and nameless entries', () => {
    rejects(/unhandled tar header type 86/, Buffer.concat([headerBlock({ flag: 'V' }), END]));
    rejects(/no name/, Buffer.concat([headerBlock({ name: '\0' }), END]));
  });

  test('more entries, bytes or header bytes than allowed', () => {
    const many = Buffer.concat([headerBlock({ name: 'a' }), headerBlock({ name: 'b' }), END]);
    assert.equal(parse(many, 100, { maxEntries: 2 }).length, 2);
    rejects(/more than 1 entries/, many, { maxEntries: 1 });
    rejects(/more than 999 bytes/, file, { maxUnpackedBytes: 999 });
    rejects(/extension headers/, Buffer.concat([extension('L', 'n'.repeat(2000)), headerBlock({})]), {
      maxHeaderBytes: 1999,
    });
    const small = extension('x', pax(['comment', 'c'.repeat(500)]));
    rejects(/extension headers/, Buffer.concat([small, small, small, small]), { maxHeaderBytes: 2000 });
    const global = extension('g', pax(['comment', 'c'.repeat(500)]));
    const spread = Buffer.concat([global, headerBlock({}), global, headerBlock({}), global, headerBlock({}), global]);
    rejects(/extension headers/, spread, { maxHeaderBytes: 2000 });
    rejects(/extension headers/, headerBlock({ flag: 'x', size: 2 ** 30 }));
  });
});

test('TarParser gives handler calls in order', () => {
  const calls: string[] = [];
  const parser = new TarParser({
    entry: (header) => calls.push(`entry ${header.name}`),
    data: (_chunk, _start, length) => calls.push(`data ${length}`),
    entryEnd: () => calls.push('end'),
  });
  parser.push(
    Buffer.concat([
      encodeHeader({ name: 'd', type: 'directory' }),
      encodeHeader({ name: 'f', sizeBytes: 2 }),
      padded('ab'),
      encodeHeader({ name: 'l', type: 'symlink', linkName: 'four' }),
      END,
    ]),
  );
  parser.end();
  assert.deepEqual(calls, ['entry d/', 'end', 'entry f', 'data 2', 'end', 'entry l', 'end']);
  assert.equal(parser.entries, 3);
  assert.equal(parser.unpackedBytes, 6, 'with the text of the link, as Docker counts');
});
