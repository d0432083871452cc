import { check } from '../errno.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { type FilePath, cPath } from '../native/path.ts';
import { words64 } from '../native/struct.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const S_IFIFO = 0o010000;
const NS_PER_SECOND = 1_000_000_000n;
/** In `tv_nsec`: leave this time as it is. */
const UTIME_OMIT = 0x3ffffffen;

const cMknod = nativeFunction<[Pointer, number, bigint], number>('mknod', 'int', ['const char *', 'uint', 'uint64']);
const cLchown = nativeFunction<[Pointer, number, number], number>('lchown', 'int', ['const char *', 'uint', 'uint']);
const cFutimens = nativeFunction<[number, Pointer], number>('futimens', 'int', ['int', 'const void *']);
const cUtimensat = nativeFunction<[number, Pointer, Pointer, number], number>('utimensat', 'int', [
  'int',
  'const char *',
  'const void *',
  'int',
]);

/** A device's number as the kernel stores it (`dev_t`, `stat.rdev`). */
export function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((low & 0xffffff00n) << 12n) | ((high & 0xfffn) << 8n) | (low & 0xffn);
}

/** The reverse of {@link makeDevice}. */
export function splitDevice(device: bigint | number): { major: number; minor: number } {
  const value = BigInt(device);
  return {
    major: Number(((value >> 32n) & 0xfffff000n) | ((value >> 8n) & 0xfffn)),
    minor: Number(((value >> 12n) & 0xffffff00n) | (value & 0xffn)),
  };
}

/**
 * mknod(2).
 *
 * @param mode - type (`S_IFCHR`, `S_IFBLK`, …) and permissions, the latter cut by the umask.
 */
export function mknod(path: FilePath, mode: number, major: number, minor: number): void {
  check(cMknod(cPath(path), mode, makeDevice(major, minor)), 'mknod', path);
}

/** Makes a named pipe. */
export function mkfifo(path: FilePath, permissions: number): void {
  check(cMknod(cPath(path), S_IFIFO | (permissions & 0o7777), 0n), 'mkfifo', path);
}

/** Changes owner and group of `path` itself; ids up to 2^32-2 (2^32-1 leaves one as it is). */
export function lchown(path: FilePath, uid: number, gid: number): void {
  check(cLchown(cPath(path), uid, gid), 'lchown', path);
}

/** Nanoseconds since the epoch (before it: negative); undefined leaves a time as it is. */
export interface FileTimes {
  accessTimeNs?: bigint | undefined;
  modifyTimeNs?: bigint | undefined;
}

function timespec(timeNs: bigint | undefined): [bigint, bigint] {
  if (timeNs === undefined) return [0n, UTIME_OMIT];
  const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return [(timeNs - nanoseconds) / NS_PER_SECOND, nanoseconds];
}

/** The two `struct timespec` of utimensat(2). */
export function encodeTimes(times: FileTimes): Buffer {
  return words64(...timespec(times.accessTimeNs), ...timespec(times.modifyTimeNs));
}

/** Sets the times of `path` itself (a link's own) to the nanosecond. */
export function lutimes(path: FilePath, times: FileTimes): void {
  check(cUtimensat(AT_FDCWD, cPath(path), encodeTimes(times), AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

/** Sets the times of an open file to the nanosecond. */
export function futimes(fd: number, times: FileTimes): void {
  check(cFutimens(fd, encodeTimes(times)), 'futimens', `fd ${fd}`);
}
