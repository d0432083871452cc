import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitsOptionString, overlayOptionString } from './overlay-options.ts';

const base = { target: '/m', volatile: false, readOnly: false };

test('overlayOptionString names layers topmost first and escapes separators', () => {
  const text = overlayOptionString({
    ...base,
    lowerDirs: ['/a:b', '/c,d', '/e\\f'],
    upperDir: '/u:p,per',
    workDir: '/w',
    volatile: true,
    options: ['index=off'],
  });
  assert.equal(text, String.raw`lowerdir=/a\:b:/c\,d:/e\\f,upperdir=/u:p\,per,workdir=/w,volatile,index=off`);
});

test('overlayOptionString leaves volatile out where nothing is written', () => {
  assert.equal(overlayOptionString({ ...base, lowerDirs: ['/a', '/b'], volatile: true }), 'lowerdir=/a:/b');
});

test('fitsOptionString sends long and deep overlays elsewhere', () => {
  assert.equal(fitsOptionString({ ...base, lowerDirs: Array.from({ length: 128 }, () => '/l') }), true);
  assert.equal(fitsOptionString({ ...base, lowerDirs: Array.from({ length: 129 }, () => '/l') }), false);
  assert.equal(fitsOptionString({ ...base, lowerDirs: [`/${'x'.repeat(4085)}`] }), true);
  assert.equal(fitsOptionString({ ...base, lowerDirs: [`/${'x'.repeat(4086)}`] }), false);
});
