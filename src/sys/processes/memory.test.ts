import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanRanges } from './memory.ts';

const mapping = (head: string, kib: { rss: number; dirty?: number; anonymous?: number }): string =>
  `${head}\nSize:     100 kB\nRss:       ${kib.rss} kB\nPrivate_Dirty:  ${kib.dirty ?? 0} kB\nAnonymous:   ${kib.anonymous ?? 0} kB\n`;

test('cleanRanges takes the read-only, unchanged mappings of the program that hold something', () => {
  const smaps = [
    mapping('00400000-00800000 r--p 00000000 fe:00 1      /opt/node', { rss: 9000 }),
    mapping('00800000-7fff00000000 r-xp 00400000 fe:00 1      /opt/node', { rss: 30_000 }),
    mapping('7fff00000000-7fff00010000 r--p 00400000 fe:00 1      /opt/node', { rss: 8000, dirty: 8, anonymous: 8 }),
    mapping('7fff00010000-7fff00020000 r--p 00400000 fe:00 1      /opt/node', { rss: 8000, anonymous: 8 }),
    mapping('7fff00020000-7fff00030000 rw-p 00400000 fe:00 1      /opt/node', { rss: 8000 }),
    mapping('7fff00030000-7fff00040000 r--p 00400000 fe:00 1      /opt/node', { rss: 200 }),
    mapping('7fff00040000-7fff00050000 r--p 00000000 fe:00 2      /lib/libc.so.6', { rss: 8000 }),
    mapping('7fff00050000-7fff00060000 rw-p 00000000 00:00 0 ', { rss: 8000 }),
  ].join('');
  assert.deepEqual(cleanRanges(smaps, '/opt/node'), [
    { start: 0x400000n, end: 0x800000n },
    { start: 0x800000n, end: 0x7fff00000000n },
  ]);
});
