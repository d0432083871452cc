import { check, errnoName, lastErrno, sysError } from '../errno.ts';
import { nativeFunction } from '../native/koffi.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** `_IOW(0x94, 9, int)` */
const FICLONE = 0x40049409;

/** Modes of fallocate(2). */
export const FALLOC = { KEEP_SIZE: 1, PUNCH_HOLE: 2, ZERO_RANGE: 16 } as const;

const cLseek = nativeFunction<[number, number, number], number>('lseek', 'int64', ['int', 'int64', 'int']);
const cFallocate = nativeFunction<[number, number, number, number], number>('fallocate', 'int', [
  'int',
  'int',
  'int64',
  'int64',
]);
const cCopyFileRange = nativeFunction<[number, null, number, null, number, number], number>('copy_file_range', 'long', [
  'int',
  'void *',
  'int',
  'void *',
  'size_t',
  'uint',
]);
const cIoctl = nativeFunction<[number, number, number], number>('ioctl', 'int', ['int', 'ulong', 'long']);

function seek(fd: number, offset: number, whence: number, call: string): number | undefined {
  const result = cLseek(fd, offset, whence);
  if (result !== -1) return result;
  const errno = lastErrno();
  if (errnoName(errno) === 'ENXIO') return undefined;
  throw sysError(errno, call, `fd ${fd}`);
}

/** Where data begins at or after `offset`; undefined when there is none up to the end. Moves the file position. */
export function seekData(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_DATA, 'lseek data');
}

/** Where a hole begins at or after `offset` (the end counts as one); undefined beyond the end. Moves the file position. */
export function seekHole(fd: number, offset: number): number | undefined {
  return seek(fd, offset, SEEK_HOLE, 'lseek hole');
}

/** Moves an fd's file position; Node's reads and writes with a null position go on from there. */
export function seekTo(fd: number, offset: number): void {
  check(cLseek(fd, offset, 0), 'lseek', `fd ${fd}`);
}

/** Allocates, or with `FALLOC` modes punches holes into, a range of a file. */
export function fallocate(fd: number, mode: number, offset: number, lengthBytes: number): void {
  check(cFallocate(fd, mode, offset, lengthBytes), 'fallocate', `fd ${fd}`);
}

/**
 * Copies between files inside the kernel, from and to their file positions, sharing extents where the filesystem can.
 *
 * @returns bytes copied (0 at the end), or undefined when these two files cannot be copied that way.
 */
export function copyFileRange(fromFd: number, toFd: number, lengthBytes: number): number | undefined {
  const result = cCopyFileRange(fromFd, null, toFd, null, lengthBytes, 0);
  if (result !== -1) return result;
  const errno = lastErrno();
  if (['EXDEV', 'ENOSYS', 'EOPNOTSUPP', 'EINVAL'].includes(errnoName(errno))) return undefined;
  throw sysError(errno, 'copy_file_range', `fd ${fromFd}`, `fd ${toFd}`);
}

/** Makes `toFd` share all extents of `fromFd`; false where the filesystem cannot. */
export function cloneFile(fromFd: number, toFd: number): boolean {
  if (cIoctl(toFd, FICLONE, fromFd) !== -1) return true;
  const errno = lastErrno();
  if (['EXDEV', 'EOPNOTSUPP', 'EINVAL', 'ENOTTY', 'ENOSYS'].includes(errnoName(errno))) return false;
  throw sysError(errno, 'ioctl FICLONE', `fd ${fromFd}`, `fd ${toFd}`);
}
