import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRfc3339Nano } from '#lib';
import { CriParser } from './cri-parser.ts';

const log = Buffer.from(
  [
    '2026-05-01T10:00:00.000000001+00:00 stdout F hello',
    '2026-05-01T10:00:00.000000002+00:00 stderr P par',
    'garbage',
    '2026-05-01T12:00:00.999999999+02:00 stdout F ',
    '2026-05-01T10:00:01.5Z stderr F tial with spaces  ',
    '2026-05-01T10:00:02.000000000+00:00 stdout P half-writ',
  ].join('\n'),
);

const expected = [
  { stream: 'stdout', time: parseRfc3339Nano('2026-05-01T10:00:00.000000001Z'), data: 'hello\n' },
  { stream: 'stderr', time: parseRfc3339Nano('2026-05-01T10:00:00.000000002Z'), data: 'par' },
  { stream: 'stdout', time: parseRfc3339Nano('2026-05-01T10:00:00.999999999Z'), data: '\n' },
  { stream: 'stderr', time: parseRfc3339Nano('2026-05-01T10:00:01.500000000Z'), data: 'tial with spaces  \n' },
  { stream: 'stdout', time: parseRfc3339Nano('2026-05-01T10:00:02Z'), data: 'half-writ' },
];

function parse(bytes: Buffer, step: number): unknown[] {
  const parser = new CriParser();
  const lines = [];
  for (let at = 0; at < bytes.length; at += step) lines.push(...parser.push(bytes.subarray(at, at + step)));
  return [...lines, ...parser.flush()].map((line) => ({ ...line, data: line.data.toString() }));
}

test('CriParser reads lines, parts and a half-written end', () => {
  assert.deepEqual(parse(log, log.length), expected);
});

test('CriParser reads the same whatever the chunks', () => {
  for (const step of [1, 2, 7, 64]) assert.deepEqual(parse(log, step), expected);
});

test('CriParser bounds what it holds of a line without end', () => {
  const parser = new CriParser();
  for (let n = 0; n < 64; n++) parser.push(Buffer.alloc(64 * 1024, 0x61));
  assert.deepEqual(parser.flush(), []);
});
