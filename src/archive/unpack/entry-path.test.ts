import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isKind } from '#errors';
import { baseOf, entryPath, parentOf } from './entry-path.ts';

test('entryPath drops what does not matter', () => {
  const cases: readonly [string, string][] = [
    ['a/b', 'a/b'],
    ['a/', 'a'],
    ['./a/b/', 'a/b'],
    ['/a', 'a'],
    ['//a//b', 'a/b'],
    ['./', ''],
    ['.', ''],
    ['/', ''],
    ['', ''],
    ['a/./b', 'a/b'],
    ['a/../b', 'b'],
    ['a/b/..', 'a'],
    ['..a/b..', '..a/b..'],
    ['...', '...'],
  ];
  for (const [name, path] of cases) assert.equal(entryPath(name), path, name);
});

test('entryPath refuses names outside of the root', () => {
  for (const name of ['..', '../a', 'a/../../b', '/..', './..', 'a/../..', '../']) {
    assert.throws(
      () => entryPath(name),
      (error) => isKind(error, 'invalidArgument') && /outside of the root/.test(String(error)),
      name,
    );
  }
  assert.throws(() => entryPath('a\0b'), /NUL/);
});

test('entryPath gives a path without dots or refuses', () => {
  const part = fc.constantFrom('', '.', '..', '...', 'a', 'b c', '.wh.x');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      let path: string;
      try {
        path = entryPath(parts.join('/'));
      } catch (error) {
        assert.ok(isKind(error, 'invalidArgument'));
        return;
      }
      for (const clean of path === '' ? [] : path.split('/')) assert.ok(!['', '.', '..'].includes(clean));
    }),
  );
});

test('parentOf and baseOf split a path', () => {
  assert.deepEqual([parentOf('a/b/c'), baseOf('a/b/c')], ['a/b', 'c']);
  assert.deepEqual([parentOf('a'), baseOf('a')], ['', 'a']);
});
