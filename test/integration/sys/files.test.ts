import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FALLOC, O, RENAME, RESOLVE, splitDevice } from '#sys';
import { createScratch } from './scratch.ts';

test('xattrs are set, listed, read and removed on a link itself', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const link = join(scratch.path, 'link');
  symlinkSync('/nowhere', link);
  const value = Buffer.from([0, 255, 1]);
  files.lsetxattr(link, 'trusted.berth', value);
  files.lsetxattr(link, 'trusted.empty', Buffer.alloc(0));
  assert.deepEqual(files.llistxattr(link).toSorted(), ['trusted.berth', 'trusted.empty']);
  assert.deepEqual(files.lgetxattr(link, 'trusted.berth'), value);
  assert.deepEqual(files.lgetxattr(link, 'trusted.empty'), Buffer.alloc(0));
  assert.equal(files.lgetxattr(link, 'trusted.other'), undefined);
  assert.throws(() => files.lsetxattr(link, 'trusted.berth', value, 'create'), { kind: 'alreadyExists' });
  files.lremovexattr(link, 'trusted.berth');
  assert.deepEqual(files.llistxattr(link), ['trusted.empty']);
});

test('nodes, owners and times reach the kernel exactly', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const [device, fifo, link] = ['device', 'fifo', 'link'].map((name) => join(scratch.path, name));
  assert.ok(device !== undefined && fifo !== undefined && link !== undefined);
  files.mknod(device, constants.S_IFCHR | 0o600, 259, 0x12345);
  assert.deepEqual(splitDevice(lstatSync(device, { bigint: true }).rdev), { major: 259, minor: 0x12345 });
  files.mkfifo(fifo, 0o600);
  assert.ok(lstatSync(fifo).isFIFO());
  symlinkSync('/nowhere', link);
  files.lchown(link, 4294967294, 3000000000);
  files.lutimes(link, { modifyTimeNs: 1_234_567_890_123_456_789n, accessTimeNs: 5n });
  const stat = lstatSync(link, { bigint: true });
  assert.deepEqual([stat.uid, stat.gid], [4294967294n, 3000000000n]);
  assert.deepEqual([stat.mtimeNs, stat.atimeNs], [1_234_567_890_123_456_789n, 5n]);
  files.lutimes(link, { modifyTimeNs: 7n });
  assert.equal(lstatSync(link, { bigint: true }).atimeNs, 5n);
});

test('file names need not be UTF-8', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const path = Buffer.concat([Buffer.from(`${scratch.path}/`), Buffer.from([0x62, 0xff, 0xfe])]);
  writeFileSync(path, '');
  files.lsetxattr(path, 'trusted.x', Buffer.from('y'));
  const entries = [...files.walkTree(scratch.path, { xattrs: true })];
  assert.deepEqual(entries[1]?.path, Buffer.from([0x62, 0xff, 0xfe]));
  assert.equal(entries[1].xattrs.get('trusted.x')?.toString(), 'y');
});

test('extents: holes are found, punched and copied', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const from = openSync(join(scratch.path, 'from'), 'w+');
  writeSync(from, Buffer.alloc(4096, 1), 0, 4096, 1 << 20);
  ftruncateSync(from, 2 << 20);
  assert.equal(files.seekData(from, 0), 1 << 20);
  assert.equal(files.seekHole(from, 1 << 20), (1 << 20) + 4096);
  assert.equal(files.seekData(from, (1 << 20) + 4096), undefined);
  files.fallocate(from, FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE, 1 << 20, 4096);
  assert.equal(files.seekData(from, 0), undefined);
  writeSync(from, 'text', 0);
  const to = openSync(join(scratch.path, 'to'), 'w');
  files.seekTo(from, 0);
  assert.equal(files.copyFileRange(from, to, 4), 4);
  assert.equal(readFileSync(join(scratch.path, 'to'), 'utf8'), 'text');
  assert.equal(files.cloneFile(from, to), false);
  closeSync(from);
  closeSync(to);
});

test('openAt2 treats a directory as the root', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const root = join(scratch.path, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'passwd'), 'inside');
  symlinkSync('/../passwd', join(root, 'link'));
  const rootFd = openSync(root, O.PATH | constants.O_DIRECTORY);
  const fd = files.openAt2(rootFd, '../link', { flags: constants.O_RDONLY, resolve: RESOLVE.IN_ROOT });
  assert.equal(readFileSync(fd, 'utf8'), 'inside');
  closeSync(fd);
  assert.throws(() => files.openAt2(rootFd, '../root', { flags: 0, resolve: RESOLVE.BENEATH }), { code: 'SYS_EXDEV' });
  closeSync(rootFd);
});

test('rename2 exchanges and refuses to replace; locks exclude; filesystems are named', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  const [a, b] = ['a', 'b'].map((name) => join(scratch.path, name));
  assert.ok(a !== undefined && b !== undefined);
  writeFileSync(a, 'a');
  writeFileSync(b, 'b');
  files.rename2(a, b, RENAME.EXCHANGE);
  assert.equal(readFileSync(a, 'utf8'), 'b');
  assert.throws(() => files.rename2(a, b, RENAME.NOREPLACE), { kind: 'alreadyExists' });
  const [first, second] = [openSync(a, 'r'), openSync(a, 'r')];
  assert.equal(files.tryLockFile(first, 'exclusive'), true);
  assert.equal(files.tryLockFile(second, 'shared'), false);
  files.unlockFile(first);
  assert.equal(files.tryLockFile(second, 'shared'), true);
  files.syncFilesystem(first);
  closeSync(first);
  closeSync(second);
  assert.equal(files.filesystemStat(scratch.path).type, 'tmpfs');
  assert.equal(files.filesystemStat(scratch.path).totalBytes, 64 << 20);
});

test('walkTree goes parents first, in byte order when asked, and skips on demand', () => {
  using scratch = createScratch();
  const { files } = scratch.sys;
  for (const directory of ['b', 'b/c', 'a', 'Z']) mkdirSync(join(scratch.path, directory));
  symlinkSync('.', join(scratch.path, 'b', 'loop'));
  const all = [...files.walkTree(scratch.path, { sorted: true })].map((entry) => entry.path.toString());
  assert.deepEqual(all, ['', 'Z', 'a', 'b', 'b/c', 'b/loop']);
  const walk = files.walkTree(scratch.path, { sorted: true });
  const seen: string[] = [];
  for (let step = walk.next(); step.done !== true;) {
    const path = step.value.path.toString();
    seen.push(path);
    step = path === 'b' ? walk.next('skip') : walk.next();
  }
  assert.deepEqual(seen, ['', 'Z', 'a', 'b']);
  assert.equal([...files.walkTree(scratch.path)].length, all.length);
});
