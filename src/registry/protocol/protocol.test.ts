import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  decodeRegistryErrors,
  describeRegistryErrors,
  encodeRegistryErrors,
  registryErrorEntry,
} from './error-codes.ts';
import { formatNextLink, parseNextLink } from './links.ts';
import { parseContentRange, parseRange, parseUploadRange } from './ranges.ts';

void test('errors survive the wire and read as Docker writes them', () => {
  const entries = [registryErrorEntry('MANIFEST_UNKNOWN', undefined, { Tag: 'x' })];
  assert.deepEqual(decodeRegistryErrors(encodeRegistryErrors(entries)), entries);
  assert.equal(describeRegistryErrors(entries), 'manifest unknown: manifest unknown');
  assert.equal(
    describeRegistryErrors([registryErrorEntry('DENIED'), registryErrorEntry('UNAUTHORIZED')]),
    'errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required\n',
  );
});

void test('decodeRegistryErrors takes bad bodies as they come', () => {
  assert.deepEqual(decodeRegistryErrors('<html>'), []);
  assert.deepEqual(decodeRegistryErrors('{"errors":"no"}'), []);
  assert.deepEqual(decodeRegistryErrors('{"errors":[null,{"code":"BLOB_UNKNOWN"},{"message":"m"}]}'), [
    { code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' },
    { code: 'UNKNOWN', message: 'm' },
  ]);
});

void test('parseRange knows whole, partial and unsatisfiable', () => {
  assert.equal(parseRange(undefined, 10), 'whole');
  assert.equal(parseRange('bytes=0-1,3-4', 10), 'whole');
  assert.equal(parseRange('bytes=5-2', 10), 'whole');
  assert.equal(parseRange('lines=1-2', 10), 'whole');
  assert.equal(parseRange('bytes=10-', 10), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 10), 'unsatisfiable');
  assert.deepEqual(parseRange('bytes=3-', 10), { start: 3, end: 9 });
  assert.deepEqual(parseRange('bytes=3-99', 10), { start: 3, end: 9 });
  assert.deepEqual(parseRange('bytes=-4', 10), { start: 6, end: 9 });
  assert.deepEqual(parseRange('bytes=-40', 10), { start: 0, end: 9 });
});

void test('parseRange never leaves the content', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat({ max: 1000 }), (start, end, size) => {
      const range = parseRange(`bytes=${start}-${end}`, size);
      if (typeof range === 'string') return;
      assert.ok(range.start >= 0 && range.start <= range.end && range.end < size);
    }),
  );
});

void test('parseContentRange refuses what contradicts itself', () => {
  assert.deepEqual(parseContentRange('bytes 0-9/100'), { start: 0, end: 9, totalBytes: 100 });
  assert.deepEqual(parseContentRange('bytes 5-9/*'), { start: 5, end: 9 });
  for (const bad of ['bytes 9-5/10', 'bytes 0-10/10', 'bytes */10', '0-9/10', '']) {
    assert.equal(parseContentRange(bad), undefined, bad);
  }
});

void test('parseUploadRange reads ranges with and without unit', () => {
  assert.deepEqual(parseUploadRange('0-99'), { start: 0, end: 99 });
  assert.deepEqual(parseUploadRange('bytes=0-99'), { start: 0, end: 99 });
  assert.equal(parseUploadRange('0--1'), undefined);
  assert.equal(parseUploadRange('5-4'), undefined);
});

void test('parseNextLink finds the next page among other links', () => {
  assert.equal(parseNextLink('</v2/x/tags/list?last=a&n=2>; rel="next"'), '/v2/x/tags/list?last=a&n=2');
  assert.equal(parseNextLink('</first>; rel=first, </n,2>; title="a,b"; rel="other next"'), '/n,2');
  assert.equal(parseNextLink('</first>; rel=first'), undefined);
  assert.equal(parseNextLink(undefined), undefined);
  assert.equal(parseNextLink(formatNextLink('/v2/x')), '/v2/x');
});

void test('parseNextLink ends quickly for every input', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', ';', '"', '=', ' ', 'a', ',', '\\') }), (text) => {
      parseNextLink(text);
    }),
  );
});
