import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand, type ExpandOptions, noVariables } from './shell-words.ts';

const variables = (name: string): string | undefined =>
  ({ FOO: 'bar', EMPTY: '', P: 'a/b/c.tar.gz', SP: 'x  y' })[name];
const text = (word: string, options: Partial<ExpandOptions> = {}): string =>
  expand(word, variables, { escape: '\\', ...options }).text;

test('expand knows every form of the reference', () => {
  const forms: [word: string, expanded: string][] = [
    ['$FOO', 'bar'],
    ['${FOO}x', 'barx'],
    ['a$NONE-b', 'a-b'],
    ['${NONE:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${NONE-d}', 'd'],
    ['${FOO:-d}', 'bar'],
    ['${FOO:+d}', 'd'],
    ['${EMPTY:+d}', ''],
    ['${EMPTY+d}', 'd'],
    ['${NONE+d}', ''],
    ['${NONE:-${FOO}}', 'bar'],
    ['${P#*/}', 'b/c.tar.gz'],
    ['${P##*/}', 'c.tar.gz'],
    ['${P%.*}', 'a/b/c.tar'],
    ['${P%%.*}', 'a/b/c'],
    ['${P%x}', 'a/b/c.tar.gz'],
    ['${P/\\//-}', 'a-b/c.tar.gz'],
    ['${P//\\//-}', 'a-b-c.tar.gz'],
    ['${P//[/-}', 'a/b/c.tar.gz'],
    ['${FOO//?/x}', 'xxx'],
    ['\\$FOO', '$FOO'],
    ["'$FOO'", '$FOO'],
    ['"$FOO"', 'bar'],
    ['"\\$FOO \\a"', '$FOO \\a'],
    ['a\\ b', 'a b'],
    ['$', '$'],
    ['$ x', '$ x'],
    ['$1x', 'x'],
    ['<<  EOF', '<<  EOF'],
  ];
  for (const [word, expanded] of forms) assert.equal(text(word), expanded, word);
});

test('expand refuses what is not closed or not known', () => {
  const bad: [word: string, message: RegExp][] = [
    ['${FOO', /missing '}'/],
    ['${}', /bad substitution/],
    ['${:x}', /bad substitution/],
    ['${FOO:=x}', /unsupported modifier \(:=\)/],
    ['${FOO!x}', /unsupported modifier \(!\)/],
    ['${NONE?}', /NONE: is not allowed to be unset/],
    ['${EMPTY:?}', /EMPTY: is not allowed to be empty/],
    ['${NONE:?say why}', /NONE: say why/],
    ["'x", /matching single-quote/],
    ['"x', /matching double-quote/],
    ['${P/x}', /missing '\/'/],
  ];
  for (const [word, message] of bad) assert.throws(() => text(word), message, word);
});

test('words part at white space that is neither quoted nor escaped, also that of a value', () => {
  const words = (line: string): readonly string[] => expand(line, variables, { escape: '\\' }).words;
  assert.deepEqual(words(` a  "b c" d\\ e 'f g'h `), ['a', 'b c', 'd e', 'f gh']);
  assert.deepEqual(words('$SP "$SP"'), ['x', 'y', 'x  y']);
});

test('the escape character may be a backtick', () => {
  assert.equal(text('c:\\x`$FOO', { escape: '`' }), 'c:\\x$FOO');
});

test('names that were used and that were not set are told', () => {
  const { used, unset } = expand('$FOO ${NONE:-$OTHER}', variables, { escape: '\\' });
  assert.deepEqual([[...used], [...unset]], [['FOO'], ['OTHER', 'NONE']]);
});

test('property: quoted text comes out as it went in, and any text either expands or is refused at once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const safe = value.replaceAll("'", '');
      assert.equal(expand(`'${safe}'`, noVariables, { escape: '\\' }).text, safe);
      try {
        expand(value, () => 'v', { escape: '\\' });
      } catch (error) {
        assert.match(String(error), /failed to process/);
      }
    }),
  );
});

test('patterns with many stars end', () => {
  const long = 'a'.repeat(5000);
  assert.equal(expand(`\${X##${'*a'.repeat(30)}b}`, () => long, { escape: '\\' }).text, long);
});
