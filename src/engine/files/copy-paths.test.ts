import assert from 'node:assert/strict';
import { test } from 'node:test';
import { someContainer } from '../containers/testing.ts';
import type { PlannedMount } from '../containers/record.ts';
import { assertWritable, baseName, toContainerPath } from './copy-paths.ts';
import { toGoFileMode } from './go-file-mode.ts';

test('toContainerPath keeps the endings that mean something', () => {
  const cases = {
    a: '/a',
    '/a/': '/a/',
    'a/.': '/a/.',
    '/': '/',
    '/.': '/.',
    '.': '/.',
    '../../x': '/x',
    '/a/../b/': '/b/',
  };
  for (const [given, wanted] of Object.entries(cases)) assert.equal(toContainerPath(given), wanted, given);
});

test('baseName is Go’s', () => {
  const cases = { '/a/b': 'b', '/a/b/': 'b', '/a/.': '.', '/': '/', '/.': '.' };
  for (const [given, wanted] of Object.entries(cases)) assert.equal(baseName(given), wanted, given);
});

test('assertWritable goes by the innermost mount, else by the root', () => {
  const mount = (Destination: string, RW: boolean): PlannedMount => ({
    point: { Type: 'volume', Source: '', Destination, Mode: '', RW, Propagation: '' },
    createSource: false,
    copyUp: false,
    recursive: true,
    tmpfsOptions: [],
  });
  const record = someContainer('a', { mounts: [mount('/ro', false), mount('/ro/rw', true)] });
  assertWritable(record, '/rox');
  assertWritable(record, '/ro/rw/x');
  assert.throws(() => assertWritable(record, '/ro'), /mounted volume is marked read-only/);
  assert.throws(() => assertWritable(record, '/ro/x'), /mounted volume is marked read-only/);
  record.hostConfig.ReadonlyRootfs = true;
  assert.throws(() => assertWritable(record, '/x'), /container rootfs is marked read-only/);
  assertWritable(record, '/ro/rw');
});

test('toGoFileMode', () => {
  assert.equal(toGoFileMode(0o040755), 2147484141);
  assert.equal(toGoFileMode(0o120777), 134218239);
  assert.equal(toGoFileMode(0o100644), 420);
  assert.equal(toGoFileMode(0o104755), 2 ** 23 + 0o755);
  assert.equal(toGoFileMode(0o020666), 2 ** 26 + 2 ** 21 + 0o666);
});
