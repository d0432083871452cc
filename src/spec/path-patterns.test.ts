import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasWildcards, parseIgnoreFile, PathPatterns } from './path-patterns.ts';

test('each wildcard matches what the reference says', () => {
  const cases: [pattern: string, path: string, matches: boolean][] = [
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a/b/c', true],
    ['a/b', 'a', false],
    ['/a/', 'a/b', true],
    ['a/../b', 'b', true],
    ['*.go', 'x.go', true],
    ['*.go', 'd/x.go', false],
    ['*/x', 'd/x', true],
    ['*/x', 'd/e/x', false],
    ['?', 'x', true],
    ['?', 'xy', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a-c]x', 'zx', true],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'ax', false],
    ['**/x', 'a/x/below', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'a', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b', 'axb', false],
    ['**', 'any/thing', true],
    ['**.go', 'a/b.go', true],
    ['a**b', 'axx/yb', true],
    ['\\*x', '*x', true],
    ['\\*x', 'ax', false],
    ['é?', 'éü', true],
  ];
  for (const [pattern, path, matches] of cases) {
    assert.equal(new PathPatterns([pattern]).matches(path), matches, `${pattern} ${path}`);
  }
});

test('the last pattern that matches decides', () => {
  const patterns = new PathPatterns(['*.md', '!README*.md', 'README-secret.md']);
  const kept = ['a.md', 'README.md', 'README-secret.md', 'x.txt'].filter((path) => !patterns.matches(path));
  assert.deepEqual(kept, ['README.md', 'x.txt']);
  const below = new PathPatterns(['dir', '!dir/keep']);
  assert.deepEqual(
    [below.matches('dir/a'), below.matches('dir/keep'), below.matches('dir/keep/x')],
    [true, false, false],
  );
  assert.ok(below.hasExceptions);
});

test('malformed patterns are refused', () => {
  for (const bad of ['[', '[]', '[a-]', 'a\\', '!']) assert.throws(() => new PathPatterns([bad]), /pattern/, bad);
});

test('an ignore file: comments, blanks, byte order mark, cleaning', () => {
  assert.deepEqual(parseIgnoreFile('\uFEFF# no\r\n\n /a/ \n!./b//c\n #d\na/../..\n'), ['a', '!b/c', '#d', '..']);
});

test('wildcards are seen, escaped ones are not', () => {
  assert.deepEqual(['a*', 'a?', '[a]', 'a', '\\*', '\\\\*'].map(hasWildcards), [true, true, true, false, false, true]);
});

test('property: a path is matched by itself, escaped, and by ** before its last part', () => {
  const name = fc.stringMatching(/^[a-z*?.[\\!#-]{1,6}$/).filter((text) => text !== '.' && text !== '..');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const escape = (text: string): string => text.replaceAll(/[*?[\]\\!]/g, String.raw`\$&`);
      const path = names.join('/');
      assert.ok(new PathPatterns([`/${names.map(escape).join('/')}`]).matches(path));
      assert.ok(new PathPatterns([`**/${escape(names.at(-1) ?? '')}`]).matches(path));
    }),
  );
});
