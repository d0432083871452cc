import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoKind, errnoName, hasErrno, sysError } from './errno.ts';

test('sysError names call, subjects and errno', () => {
  const error = sysError(2, 'mount', '/a', 'on', '/b');
  assert.equal(error.kind, 'notFound');
  assert.equal(error.code, 'SYS_ENOENT');
  assert.equal(error.message, 'mount /a on /b: no such file or directory');
  assert.deepEqual(error.details, { errno: 'ENOENT', call: 'mount' });
});

test('errnoName prefers the kernel name where two share a number', () => {
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(95), 'EOPNOTSUPP');
  assert.equal(errnoName(117), 'EUCLEAN');
  assert.equal(errnoName(9999), 'errno 9999');
});

test('errnoKind maps by the table and falls back to internal', () => {
  assert.equal(errnoKind(17), 'alreadyExists');
  assert.equal(errnoKind(16), 'conflict');
  assert.equal(errnoKind(5), 'internal');
});

test('hasErrno recognises our errors and those of Node', () => {
  assert.equal(hasErrno(sysError(16, 'umount'), 'EBUSY', 'ENOENT'), true);
  assert.equal(hasErrno(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT'), true);
  assert.equal(hasErrno(new Error('ENOENT'), 'ENOENT'), false);
});
