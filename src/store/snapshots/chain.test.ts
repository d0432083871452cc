import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parseDigest, type Digest } from '#spec';
import { chainIdOf } from './chain.ts';

function digest(character: string): Digest {
  return parseDigest(`sha256:${character.repeat(64)}`);
}

test('chainIdOf: the first layer stands for itself, each next hashes what is below', () => {
  const [first, second] = [digest('1'), digest('2')];
  const stacked = `sha256:${createHash('sha256').update(`${first} ${second}`).digest('hex')}`;
  const bottom = chainIdOf(undefined, first);
  assert.equal(bottom, first);
  assert.equal(chainIdOf(bottom, second), stacked);
});
