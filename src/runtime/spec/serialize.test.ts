import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcLimits } from './rlimits.ts';
import { serializeSpec } from './serialize.ts';

test('serializeSpec writes no limit as the largest 64-bit number, and nothing else like it', () => {
  assert.equal(
    serializeSpec({ hard: Number.POSITIVE_INFINITY, soft: 3, text: 'Infinity', list: [Number.POSITIVE_INFINITY] }),
    '{"hard":18446744073709551615,"soft":3,"text":"Infinity","list":[18446744073709551615]}',
  );
});

test('parseProcLimits reads the kernel table', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            1024                 4096                 files     ',
    'Max core file size        0                    unlimited            bytes     ',
    'Max nice priority         0                    0                    ',
  ].join('\n');
  assert.deepEqual(parseProcLimits(text), {
    nofile: { soft: 1024, hard: 4096 },
    core: { soft: 0, hard: Number.POSITIVE_INFINITY },
    nice: { soft: 0, hard: 0 },
  });
});
