import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findEngineError } from '#errors';
import { parseListenAddress } from './listen-address.ts';
import { parseTarget } from './target.ts';

const digest = `sha256:${'0'.repeat(64)}`;

test('parseTarget: every endpoint, names with slashes, names with the words of endpoints', () => {
  assert.deepEqual(parseTarget('/v2/'), { kind: 'base' });
  assert.deepEqual(parseTarget('/v2/_catalog'), { kind: 'catalog' });
  assert.deepEqual(parseTarget('/v2/a/tags/list'), { kind: 'tags', repository: 'a' });
  assert.deepEqual(parseTarget('/v2/a/b/manifests/x'), { kind: 'manifest', repository: 'a/b', reference: 'x' });
  assert.deepEqual(parseTarget(`/v2/a/blobs/${digest}`), { kind: 'blob', repository: 'a', digest });
  assert.deepEqual(parseTarget(`/v2/a/blobs/${encodeURIComponent(digest)}`), { kind: 'blob', repository: 'a', digest });
  assert.deepEqual(parseTarget('/v2/a/blobs/uploads/'), { kind: 'uploads', repository: 'a' });
  assert.deepEqual(parseTarget('/v2/a/blobs/uploads'), { kind: 'uploads', repository: 'a' });
  assert.deepEqual(parseTarget('/v2/a/blobs/uploads/id'), { kind: 'upload', repository: 'a', id: 'id' });
  assert.deepEqual(parseTarget(`/v2/a/referrers/${digest}`), { kind: 'referrers', repository: 'a', digest });
  assert.deepEqual(parseTarget('/v2/blobs/uploads/manifests/x'), {
    kind: 'manifest',
    repository: 'blobs/uploads',
    reference: 'x',
  });
  for (const nothing of [
    '/',
    '/v1/',
    '/v2/a',
    '/v2/a/',
    '/v2/a/b',
    '/v2/manifests/x',
    '/v2/a/manifests/',
    '/v3/a/tags/list',
  ]) {
    assert.equal(parseTarget(nothing), undefined, nothing);
  }
});

test('parseTarget: whatever comes, a repository is a name by the grammar, or there is an error with a code', () => {
  const piece = fc.constantFrom(
    'a',
    '..',
    '.',
    '',
    'A',
    '%2e%2e',
    '%2f',
    '%',
    '\0',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    '_',
    '-',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
      try {
        const target = parseTarget(`/v2/${parts.join('/')}`);
        if (target && 'repository' in target) assert.match(target.repository, /^[a-z]+(?:\/[a-z]+)*$/);
      } catch (error) {
        assert.equal(findEngineError(error)?.code, 'NAME_INVALID');
      }
    }),
    { numRuns: 2000 },
  );
});

test('parseListenAddress', () => {
  assert.deepEqual(parseListenAddress('127.0.0.1:5000'), { host: '127.0.0.1', port: 5000 });
  assert.deepEqual(parseListenAddress('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseListenAddress(':80'), { port: 80 });
  for (const bad of ['', '5000', 'a:b', '::1:80', 'x:70000']) assert.throws(() => parseListenAddress(bad), /listen/);
});
