import { check, errnoName, lastErrno, sysError } from '../errno.ts';
import { nativeFunction, type Pointer, systemCall } from '../native/koffi.ts';
import { type FilePath, cPath } from '../native/path.ts';
import { words64 } from '../native/struct.ts';

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;

/** open(2) flags that Node's constants lack. */
export const O = { PATH: 0o10000000, CLOEXEC: 0o2000000 } as const;

/** How openat2(2) may resolve a path. */
export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16, CACHED: 32 } as const;

/** Flags of renameat2(2). */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

const sysOpenat2 = systemCall<[number, Pointer, Pointer, number]>(437, [
  'int',
  'const char *',
  'const void *',
  'size_t',
]);
const cRenameat2 = nativeFunction<[number, Pointer, number, Pointer, number], number>('renameat2', 'int', [
  'int',
  'const char *',
  'int',
  'const char *',
  'uint',
]);
const cSyncfs = nativeFunction<[number], number>('syncfs', 'int', ['int']);
const cFlock = nativeFunction<[number, number], number>('flock', 'int', ['int', 'int']);

export interface OpenHow {
  /** Flags of `fs.constants` and `O`; O_CLOEXEC is always added. */
  flags: number;
  /** Permissions of a file that is made; only with O_CREAT or O_TMPFILE. */
  mode?: number;
  /** `RESOLVE` bits; IN_ROOT treats `directoryFd` as the root, so that neither `..` nor a link leads out. */
  resolve: number;
}

/**
 * openat2(2).
 *
 * @returns an fd that the caller closes.
 * @throws {@link EngineError} invalidArgument (EXDEV, ELOOP) when the path would leave what `resolve` allows;
 *   unavailable (EAGAIN) when something was renamed meanwhile: try again.
 */
export function openAt2(directoryFd: number, path: FilePath, how: OpenHow): number {
  const argument = words64(how.flags | O_CLOEXEC, how.mode ?? 0, how.resolve);
  return check(sysOpenat2(directoryFd, cPath(path), argument, argument.length), 'openat2', path);
}

/** renameat2(2) with `RENAME` flags. */
export function rename2(from: FilePath, to: FilePath, flags: number): void {
  check(cRenameat2(AT_FDCWD, cPath(from), AT_FDCWD, cPath(to), flags), 'renameat2', from, to);
}

/** Writes the whole filesystem of an open file or directory to disk; slow. */
export function syncFilesystem(fd: number): void {
  check(cSyncfs(fd), 'syncfs', `fd ${fd}`);
}

/**
 * Locks an open file against other opens of it (flock(2)), without waiting; the lock ends with `unlock` or the last close.
 *
 * @returns false when someone else holds it.
 */
export function tryLockFile(fd: number, mode: 'exclusive' | 'shared'): boolean {
  if (cFlock(fd, (mode === 'exclusive' ? LOCK_EX : LOCK_SH) | LOCK_NB) !== -1) return true;
  const errno = lastErrno();
  if (errnoName(errno) === 'EAGAIN') return false;
  throw sysError(errno, 'flock', `fd ${fd}`);
}

/** Gives up a lock of {@link tryLockFile}. */
export function unlockFile(fd: number): void {
  check(cFlock(fd, LOCK_UN), 'flock', `fd ${fd}`);
}
