import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyMode, parseMode } from './chmod.ts';

test('modes change as chmod(1) changes them', () => {
  const cases: [text: string, before: number, after: number, isDirectory?: boolean][] = [
    ['755', 0o600, 0o755],
    ['04755', 0, 0o4755],
    ['u+x', 0o644, 0o744],
    ['+x', 0o644, 0o755],
    ['go=', 0o777, 0o700],
    ['a=rX', 0o644, 0o444],
    ['a=rX', 0o744, 0o555],
    ['a=rX', 0o600, 0o555, true],
    ['u=rwx,g=u-w,o=', 0o644, 0o750],
    ['u+s,g+s,+t', 0o755, 0o7755],
    ['u=rw', 0o4755, 0o655],
    ['o-rwx', 0o777, 0o770],
  ];
  for (const [text, before, after, isDirectory = false] of cases) {
    const got = applyMode(parseMode(text), before, isDirectory);
    assert.equal(got.toString(8), after.toString(8), text);
  }
});

test('what chmod(1) would not take is refused', () => {
  for (const bad of ['', '9', 'u', 'x+r', 'u+q', '1234567', 'u+x,'])
    assert.throws(() => parseMode(bad), /invalid chmod/, bad);
});
