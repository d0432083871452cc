import type { FilePath } from '../native/path.ts';
import { closeFd } from '../native/close.ts';
import { cloneFile, copyFileRange, fallocate, seekData, seekHole, seekTo } from './extents.ts';
import { type FileTimes, futimes, lchown, lutimes, mkfifo, mknod } from './nodes.ts';
import { openAt2, type OpenHow, rename2, syncFilesystem, tryLockFile, unlockFile } from './open.ts';
import { sealedCopy, sealedMemory } from './sealed-copy.ts';
import { filesystemStat, type FilesystemStat } from './statfs.ts';
import { type WalkEntry, type WalkOptions, walkTree } from './walk.ts';
import { lgetxattr, llistxattr, lremovexattr, lsetxattr } from './xattrs.ts';

/** What Node's `fs` lacks. All of it is synchronous and works in chrooted workers. */
export interface Files {
  lgetxattr(path: FilePath, name: string): Buffer | undefined;
  lsetxattr(path: FilePath, name: string, value: Uint8Array, mode?: 'create' | 'replace'): void;
  llistxattr(path: FilePath): string[];
  lremovexattr(path: FilePath, name: string): void;
  mknod(path: FilePath, mode: number, major: number, minor: number): void;
  mkfifo(path: FilePath, permissions: number): void;
  lchown(path: FilePath, uid: number, gid: number): void;
  lutimes(path: FilePath, times: FileTimes): void;
  futimes(fd: number, times: FileTimes): void;
  seekData(fd: number, offset: number): number | undefined;
  seekHole(fd: number, offset: number): number | undefined;
  seekTo(fd: number, offset: number): void;
  fallocate(fd: number, mode: number, offset: number, lengthBytes: number): void;
  copyFileRange(fromFd: number, toFd: number, lengthBytes: number): number | undefined;
  cloneFile(fromFd: number, toFd: number): boolean;
  openAt2(directoryFd: number, path: FilePath, how: OpenHow): number;
  rename2(from: FilePath, to: FilePath, flags: number): void;
  syncFilesystem(fd: number): void;
  tryLockFile(fd: number, mode: 'exclusive' | 'shared'): boolean;
  unlockFile(fd: number): void;
  filesystemStat(path: string): FilesystemStat;
  sealedCopy(path: string): number;
  sealedMemory(name: string, content: Uint8Array): number;
  closeFd(fd: number): void;
  walkTree(root: string | Buffer, options?: WalkOptions): Generator<WalkEntry, void, 'skip' | undefined>;
}

export const linuxFiles: Files = {
  lgetxattr,
  lsetxattr,
  llistxattr,
  lremovexattr,
  mknod,
  mkfifo,
  lchown,
  lutimes,
  futimes,
  seekData,
  seekHole,
  seekTo,
  fallocate,
  copyFileRange,
  cloneFile,
  openAt2,
  rename2,
  syncFilesystem,
  tryLockFile,
  unlockFile,
  filesystemStat,
  sealedCopy,
  sealedMemory,
  closeFd,
  walkTree,
};
