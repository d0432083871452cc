import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CopySide, resolveLocal, splitArgument, splitEntry } from './paths.ts';
import { planCopy } from './plan.ts';

const directory = (path: string): CopySide => ({ path, exists: true, isDirectory: true });
const file = (path: string): CopySide => ({ path, exists: true, isDirectory: false });
const absent = (path: string): CopySide => ({ path, exists: false, isDirectory: false });

test('planCopy goes into directories and takes the name of anything else', () => {
  assert.deepEqual(planCopy(file('/a/f'), directory('/d')), { directory: '/d' });
  assert.deepEqual(planCopy(directory('/a/.'), directory('/d')), { directory: '/d' });
  assert.deepEqual(planCopy(file('/a/f'), file('/d/g')), { directory: '/d', rename: { from: 'f', to: 'g' } });
  assert.deepEqual(planCopy(file('/a/f'), absent('/d/g')), { directory: '/d', rename: { from: 'f', to: 'g' } });
  assert.deepEqual(planCopy(directory('/a/b/.'), absent('/d/g/')), { directory: '/d', rename: { from: '.', to: 'g' } });
  assert.deepEqual(planCopy(directory('/'), absent('/d/g')), { directory: '/d', rename: { from: '', to: 'g' } });
});

test('planCopy refuses what would mix files and directories', () => {
  assert.throws(() => planCopy(directory('/a'), file('/d/g')), { message: 'cannot copy directory' });
  assert.throws(() => planCopy(file('/a'), absent('/d/g/')), { message: 'no such directory' });
});

test('splitArgument takes paths with a dot or slash in front as local', () => {
  assert.deepEqual(splitArgument('c:/etc'), { container: 'c', path: '/etc' });
  assert.deepEqual(splitArgument('./c:etc'), { container: '', path: './c:etc' });
  assert.deepEqual(splitArgument('/c:etc'), { container: '', path: '/c:etc' });
  assert.deepEqual(splitArgument('-'), { container: '', path: '-' });
});

test('splitEntry and resolveLocal keep what a trailing dot or slash means', () => {
  assert.deepEqual(splitEntry('/a/b/.'), { directory: '/a/b', base: '.' });
  assert.deepEqual(splitEntry('/a/b/'), { directory: '/a', base: 'b' });
  assert.deepEqual(splitEntry('/'), { directory: '/', base: '/' });
  assert.equal(resolveLocal('/a/../b/'), '/b/');
  assert.equal(resolveLocal('/a/b/.'), '/a/b/.');
});
