import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarReference, formatReference, parseAnyReference, parseReference, withDefaultTag } from './references.ts';

const hex = 'ab'.repeat(32);

test('parseReference normalises, and familiarReference shortens again', () => {
  const cases = [
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1', 'docker.io/library/busybox:1', 'busybox:1'],
    ['user/app', 'docker.io/user/app', 'user/app'],
    ['index.docker.io/library/a', 'docker.io/library/a', 'a'],
    ['docker.io/a', 'docker.io/library/a', 'a'],
    ['localhost/a', 'localhost/a', 'localhost/a'],
    ['localhost:5000/a/b:t', 'localhost:5000/a/b:t', 'localhost:5000/a/b:t'],
    ['[::1]:5000/a', '[::1]:5000/a', '[::1]:5000/a'],
    ['Host/a', 'Host/a', 'Host/a'],
    ['registry.example.com/a/b__c-d.e', 'registry.example.com/a/b__c-d.e', 'registry.example.com/a/b__c-d.e'],
    [`a:t@sha256:${hex}`, `docker.io/library/a:t@sha256:${hex}`, `a:t@sha256:${hex}`],
  ];
  for (const [text = '', full, short] of cases) {
    const reference = parseReference(text);
    assert.equal(formatReference(reference), full);
    assert.equal(familiarReference(reference), short);
    assert.deepEqual(parseReference(formatReference(reference)), reference);
  }
});

test('parseReference refuses with the texts of Docker', () => {
  const cases = [
    ['', /^invalid reference format$/],
    ['-a', /^invalid reference format$/],
    ['a:', /^invalid reference format$/],
    ['a b', /^invalid reference format$/],
    ['a/../b', /^invalid reference format$/],
    ['a:b:c', /^invalid reference format$/],
    ['http://a/b', /^invalid reference format$/],
    ['BusyBox', /^invalid reference format: repository name \(library\/BusyBox\) must be lowercase$/],
    ['user/App:1', /^invalid reference format: repository name \(user\/App\) must be lowercase$/],
    [hex, /cannot specify 64-byte hexadecimal strings$/],
    [`a@sha256:${hex}00`, /^invalid checksum digest length$/],
    [`a@md5:${hex}`, /^unsupported digest algorithm$/],
    ['a'.repeat(300), /must not be more than 255 characters$/],
  ] as const;
  for (const [text, message] of cases) {
    assert.throws(() => parseReference(text), { kind: 'invalidArgument', message });
  }
});

test('parseAnyReference tells IDs from names', () => {
  assert.deepEqual(parseAnyReference(hex), { kind: 'digest', digest: `sha256:${hex}` });
  assert.deepEqual(parseAnyReference(`sha256:${hex}`), { kind: 'digest', digest: `sha256:${hex}` });
  assert.equal(parseAnyReference(hex.slice(0, 12)).kind, 'named');
});

test('withDefaultTag leaves tags and digests alone', () => {
  assert.equal(familiarReference(withDefaultTag(parseReference('a'))), 'a:latest');
  assert.equal(familiarReference(withDefaultTag(parseReference('a:1'))), 'a:1');
  assert.equal(withDefaultTag(parseReference(`a@sha256:${hex}`)).tag, undefined);
});
