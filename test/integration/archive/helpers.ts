import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  createTarWriter,
  type TarBody,
  type TarHeaderInit,
  unpack,
  type UnpackOptions,
  type UnpackResult,
} from '#archive';
import { createLinuxSys, splitDevice } from '#sys';

const { files } = createLinuxSys();

export type Entry = readonly [header: TarHeaderInit, body?: TarBody];

/** An archive of these entries, in this order. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const writer = createTarWriter();
  const collected = writer.stream.toArray() as Promise<Buffer[]>;
  for (const [header, body] of entries) await writer.add(header, body);
  await writer.end();
  return Buffer.concat(await collected);
}

/** A directory of the test's own, removed after it, and after `release`. */
export function scratch(t: TestContext, release?: (path: string) => void): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-archive-'));
  t.after(() => {
    release?.(path);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** A root to unpack into with things beside it that must not change; `verify` says whether they did. */
export function watchedRoot(t: TestContext): { root: string; outside: string; verify: () => void } {
  const outside = scratch(t);
  const root = join(outside, 'root');
  mkdirSync(root);
  writeFileSync(join(outside, 'victim'), 'untouched');
  mkdirSync(join(outside, 'directory'));
  writeFileSync(join(outside, 'directory', 'victim'), 'untouched');
  const look = (): string => describeTree(outside, (path) => path !== 'root' && !path.startsWith('root/')).join('\n');
  const before = look();
  const hostPaths = ['/etc/passwd', '/pwned', '/tmp/pwned', '/etc/pwned'];
  const host = hostPaths.map(signature).join('\n');
  return {
    root,
    outside,
    verify: () => {
      if (look() !== before) throw new Error(`something outside of the root changed:\n${look()}\nbefore:\n${before}`);
      if (hostPaths.map(signature).join('\n') !== host) throw new Error('something of the host changed');
    },
  };
}

function signature(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stat ? `${stat.ino} ${stat.ctimeNs} ${stat.size}` : 'none';
}

/** Unpacks bytes through a file beside the root, or through a stream. */
export async function unpackBytes(
  t: TestContext,
  bytes: Buffer,
  options: Partial<UnpackOptions> & { root: string },
): Promise<UnpackResult> {
  const path = join(scratch(t), 'archive.tar');
  writeFileSync(path, bytes);
  return unpack({ source: { path }, whiteouts: 'literal', ...options });
}

/** One line per file with everything about it that an archive carries; hard links name the first path of their inode. */
export function describeTree(root: string, include: (path: string) => boolean = () => true): string[] {
  const lines: string[] = [];
  const inodes = new Map<bigint, string>();
  for (const entry of files.walkTree(root, { sorted: true, xattrs: true })) {
    const path = entry.path.toString('latin1');
    const { stat } = entry;
    if (!include(path) || path === '') continue;
    const parts = [path, stat.mode.toString(8), `${stat.uid}:${stat.gid}`];
    if (!stat.isDirectory()) parts.push(`first=${inodes.get(stat.ino) ?? path}`);
    if (!inodes.has(stat.ino)) inodes.set(stat.ino, path);
    parts.push(`mtime=${stat.mtimeNs}`);
    if (stat.isFile())
      parts.push(`content=${readFileSync(entry.fullPath).toString('base64').slice(0, 4000)}`, `size=${stat.size}`);
    if (stat.isSymbolicLink()) parts.push(`-> ${readlinkSync(entry.fullPath, 'latin1')}`);
    if (stat.isCharacterDevice() || stat.isBlockDevice()) parts.push(JSON.stringify(splitDevice(stat.rdev)));
    for (const [name, value] of [...entry.xattrs].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      parts.push(`${name}=${value.toString('hex')}`);
    lines.push(parts.join(' '));
  }
  return lines;
}

/** Paths of a tree, sorted. */
export function paths(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[]).toSorted();
}

/** GNU tar. */
export function gnuTar(...args: string[]): Buffer {
  return execFileSync('tar', args, { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } });
}

/** A tree with every kind of file, the awkward ones included. */
export function awkwardTree(root: string): void {
  const at = (path: string): string => join(root, path);
  const set = (path: string | Buffer, seconds: bigint): void =>
    files.lutimes(path, { modifyTimeNs: seconds * 1_000_000_000n + 123_456_789n });
  mkdirSync(at('dir/sub'), { recursive: true });
  writeFileSync(at('dir/plain'), 'plain');
  writeFileSync(at('dir/empty'), '');
  writeFileSync(at('setuid'), '#!/bin/sh\n');
  files.lchown(at('setuid'), 1000, 1001);
  execFileSync('chmod', ['6755', at('setuid')]);
  writeFileSync(at('huge-ids'), 'ids');
  files.lchown(at('huge-ids'), 0xffff_fffe, 0xffff_fffe);
  execFileSync('ln', [at('huge-ids'), at('dir/linked')]);
  execFileSync('ln', ['-s', '/absolute/nowhere', at('symlink')]);
  files.lchown(at('symlink'), 5, 6);
  execFileSync('ln', ['-s', 'x'.repeat(200), at('long-symlink')]);
  files.mknod(at('char'), 0o020640, 10, 200);
  files.mknod(at('block'), 0o060600, 259, 0xfffff);
  files.mkfifo(at('fifo'), 0o622);
  const capability = Buffer.from('0100000202000000000000000000000000000000', 'hex');
  writeFileSync(at('capable'), 'x');
  files.lsetxattr(at('capable'), 'security.capability', capability);
  files.lsetxattr(at('capable'), 'trusted.binary', Buffer.from([0, 10, 255, 61, 0]));
  files.lsetxattr(at('dir/sub'), 'trusted.on-directory', Buffer.from('value'));
  writeFileSync(at(`${'n'.repeat(120)}`), 'long name');
  mkdirSync(at(`deep/${'d'.repeat(100)}/${'e'.repeat(100)}/${'f'.repeat(100)}`), { recursive: true });
  writeFileSync(at(`deep/${'d'.repeat(100)}/${'e'.repeat(100)}/${'f'.repeat(100)}/file`), 'deep');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/not-utf8-`), Buffer.from([0xe9, 0xff])]), 'latin1');
  writeFileSync(at('größe-😀'), 'utf8');
  writeFileSync(at('big'), Buffer.alloc(3_000_000, 'big file content '));
  execFileSync('mkdir', ['-m', '3775', at('sticky')]);
  files.lchown(at('sticky'), 0, 42);
  writeFileSync(at('sticky/inherits-group'), 'g');
  execFileSync('chmod', ['2775', at('sticky')]);
  execFileSync('chmod', ['0', at('dir/empty')]);
  set(at('dir/plain'), -1_000_000n);
  for (const path of ['char', 'fifo', 'symlink', 'dir/sub', 'sticky', 'big', 'dir']) set(at(path), 1_500_000_000n);
}
