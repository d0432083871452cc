import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AT, hasErrno, MNT, MOUNT_ATTR, MS, OPEN_TREE } from '#sys';
import { createScratch, type Scratch } from './scratch.ts';

function makeLayers(scratch: Scratch, names: readonly string[]): string[] {
  return names.map((name, index) => {
    const layer = join(scratch.path, name);
    mkdirSync(layer);
    writeFileSync(join(layer, `file-${index}`), name);
    return layer;
  });
}

function mountedTargets(scratch: Scratch): string[] {
  return scratch.sys.mounts.listMounts().map((mount) => mount.target);
}

test('mountOverlay merges layers whose names hold separators', () => {
  using scratch = createScratch();
  const lowerDirs = makeLayers(scratch, ['a:b', 'c,d', String.raw`e\f`, 'g h']);
  const [upperDir, workDir, target] = ['up:p,er', 'wo,rk', 'merged'].map((name) => join(scratch.path, name));
  assert.ok(upperDir !== undefined && workDir !== undefined && target !== undefined);
  for (const directory of [upperDir, workDir, target]) mkdirSync(directory);
  scratch.sys.mounts.mountOverlay({ lowerDirs, upperDir, workDir, target, volatile: true, readOnly: false });
  assert.equal(readFileSync(join(target, 'file-2'), 'utf8'), String.raw`e\f`);
  writeFileSync(join(target, 'new'), '');
  assert.ok(existsSync(join(upperDir, 'new')));
  scratch.sys.mounts.unmount(target);
  assert.ok(!mountedTargets(scratch).includes(target));
});

test('mountOverlay takes more layers than an option string', () => {
  using scratch = createScratch();
  const names = Array.from({ length: 300 }, (_, index) => `layer:${index}-${'x'.repeat(30)}`);
  const lowerDirs = makeLayers(scratch, names);
  const [upperDir, workDir, target] = ['up:p,er', 'wo,rk', 'merged'].map((name) => join(scratch.path, name));
  assert.ok(upperDir !== undefined && workDir !== undefined && target !== undefined);
  for (const directory of [upperDir, workDir, target]) mkdirSync(directory);
  scratch.sys.mounts.mountOverlay({ lowerDirs, upperDir, workDir, target, volatile: true, readOnly: false });
  assert.equal(readFileSync(join(target, 'file-299'), 'utf8'), names[299]);
  writeFileSync(join(target, 'new'), '');
  assert.ok(existsSync(join(upperDir, 'new')));
  scratch.sys.mounts.unmount(target);
});

test('mountOverlay without an upper layer is read-only', () => {
  using scratch = createScratch();
  const lowerDirs = makeLayers(scratch, ['a', 'b']);
  const target = join(scratch.path, 'merged');
  mkdirSync(target);
  scratch.sys.mounts.mountOverlay({ lowerDirs, target, volatile: false, readOnly: true });
  assert.throws(
    () => writeFileSync(join(target, 'x'), ''),
    (error) => hasErrno(error, 'EROFS'),
  );
});

test('bind mounts read-only and shows in listMounts under its odd name', () => {
  using scratch = createScratch();
  const [source] = makeLayers(scratch, ['source']);
  const target = join(scratch.path, 'tar get\\x');
  mkdirSync(target);
  assert.ok(source !== undefined);
  scratch.sys.mounts.bind(source, target, { readOnly: true });
  const mount = scratch.sys.mounts.listMounts().find((candidate) => candidate.target === target);
  assert.equal(mount?.fsType, 'tmpfs');
  assert.ok(mount.options.includes('ro'));
});

test('setMountAttributes makes a whole cloned tree read-only before it is attached', () => {
  using scratch = createScratch();
  const { mounts } = scratch.sys;
  const [source, target] = makeLayers(scratch, ['source', 'target']);
  assert.ok(source !== undefined && target !== undefined);
  mkdirSync(join(source, 'inner'));
  mounts.mount('tmpfs', join(source, 'inner'), 'tmpfs', 0);
  const tree = mounts.openTree(source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE);
  mounts.setMountAttributes(tree, { set: MOUNT_ATTR.RDONLY, recursive: true });
  mounts.attachMount(tree, target);
  closeSync(tree);
  assert.throws(
    () => writeFileSync(join(target, 'inner', 'x'), ''),
    (error) => hasErrno(error, 'EROFS'),
  );
  writeFileSync(join(source, 'inner', 'x'), '');
});

test('setPropagation shares mounts and stops sharing them', () => {
  using scratch = createScratch();
  const { mounts } = scratch.sys;
  const target = join(scratch.path, 'shared');
  mkdirSync(target);
  mounts.bind(target, target);
  const group = (): number | undefined => mounts.listMounts().find((mount) => mount.target === target)?.sharedGroup;
  mounts.setPropagation(target, 'shared');
  assert.equal(typeof group(), 'number');
  mounts.setPropagation(target, 'private');
  assert.equal(group(), undefined);
});

test('mount and unmount say what failed', () => {
  using scratch = createScratch();
  const target = join(scratch.path, 'none');
  assert.throws(() => scratch.sys.mounts.mount(null, target, 'tmpfs', MS.NODEV), {
    kind: 'notFound',
    code: 'SYS_ENOENT',
    message: `mount tmpfs on ${target}: no such file or directory`,
  });
  assert.throws(() => scratch.sys.mounts.unmount(scratch.path + '/none', MNT.NOFOLLOW), { code: 'SYS_ENOENT' });
  assert.throws(() => scratch.sys.mounts.unmount('/tmp\0/x'), { code: 'SYS_NUL_IN_PATH' });
});
