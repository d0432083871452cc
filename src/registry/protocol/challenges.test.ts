import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatChallenge, parseChallenges } from './challenges.ts';

const plain = (header: string): [string, Record<string, string>][] =>
  parseChallenges(header).map((challenge) => [challenge.scheme, Object.fromEntries(challenge.parameters)]);

void test('parseChallenges reads what registries send', () => {
  assert.deepEqual(
    plain('Bearer realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push"'),
    [['bearer', { realm: 'https://auth.example.com/token', service: 'registry', scope: 'repository:a/b:pull,push' }]],
  );
  assert.deepEqual(plain('Basic realm="Registry Realm"'), [['basic', { realm: 'Registry Realm' }]]);
  assert.deepEqual(plain('Negotiate'), [['negotiate', {}]]);
  assert.deepEqual(plain(''), []);
});

void test('parseChallenges tells several challenges apart', () => {
  assert.deepEqual(plain('Basic realm="a, b", Bearer realm=x , error="invalid_token", Negotiate abc=='), [
    ['basic', { realm: 'a, b' }],
    ['bearer', { realm: 'x', error: 'invalid_token' }],
    ['negotiate', {}],
  ]);
  assert.deepEqual(plain('Negotiate, Basic realm="x"'), [
    ['negotiate', {}],
    ['basic', { realm: 'x' }],
  ]);
});

void test('parseChallenges undoes escapes and lets the first of two parameters count', () => {
  assert.deepEqual(plain(String.raw`Basic realm="say \"hi\" \\", realm=other`), [['basic', { realm: 'say "hi" \\' }]]);
});

void test('parseChallenges ends at what it cannot read', () => {
  assert.deepEqual(plain('Basic realm="a" "'), [['basic', { realm: 'a' }]]);
  assert.deepEqual(plain('Bearer realm="open'), [['bearer', { realm: '' }]]);
});

void test('parseChallenges ends for every input, and reads back what formatChallenge wrote', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string(), { minKeys: 1 }), (parameters) => {
      assert.deepEqual(plain(formatChallenge('Bearer', parameters)), [['bearer', { ...parameters }]]);
    }),
  );
});
