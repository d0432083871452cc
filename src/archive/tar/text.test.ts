import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, encodeText, toFsPath } from './text.ts';

test('decodeText keeps every byte sequence', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      assert.deepEqual(encodeText(decodeText(buffer)), buffer);
    }),
  );
});

test('decodeText reads UTF-8 as text, a byte order mark included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(decodeText(Buffer.from(`\ufeff${text}`)), `\ufeff${text}`);
    }),
  );
});

test('toFsPath gives bytes only for names that are not UTF-8', () => {
  assert.equal(toFsPath('größe'), 'größe');
  assert.deepEqual(toFsPath(decodeText(Buffer.from('gr\xf6\xdfe', 'latin1'))), Buffer.from('gr\xf6\xdfe', 'latin1'));
});
