import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nftError } from './nft.ts';

test('nftError takes the first line and tells kinds apart', () => {
  const exists = nftError('Error: Could not process rule: File exists\nadd element inet t m { 80 }\n   ^^\n');
  assert.equal(exists.kind, 'alreadyExists');
  assert.equal(exists.message, 'nft: Could not process rule: File exists');
  assert.equal(nftError('Error: syntax error, unexpected newline\nbogus\n').kind, 'invalidArgument');
  assert.equal(nftError('').message, 'nft: unknown error');
});
