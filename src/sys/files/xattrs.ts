import { check, errnoName, lastErrno, sysError } from '../errno.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { type FilePath, cPath } from '../native/path.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX: no value and no list of names is longer. */
const MAX_XATTR_BYTES = 65536;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;

const cGet = nativeFunction<[Pointer, string, Pointer, number], number>('lgetxattr', 'long', [
  'const char *',
  'const char *',
  'void *',
  'size_t',
]);
const cSet = nativeFunction<[Pointer, string, Pointer, number, number], number>('lsetxattr', 'int', [
  'const char *',
  'const char *',
  'const void *',
  'size_t',
  'int',
]);
const cList = nativeFunction<[Pointer, Pointer, number], number>('llistxattr', 'long', [
  'const char *',
  'void *',
  'size_t',
]);
const cRemove = nativeFunction<[Pointer, string], number>('lremovexattr', 'int', ['const char *', 'const char *']);

/** Calls are synchronous, so one buffer per thread serves them all; results are copied out of it. */
let scratch: Buffer | undefined;

function scratchBuffer(): Buffer {
  scratch ??= Buffer.allocUnsafeSlow(MAX_XATTR_BYTES);
  return scratch;
}

/** An extended attribute of `path` itself (not of a link's target), or undefined when it has none of that name. */
export function lgetxattr(path: FilePath, name: string): Buffer | undefined {
  const buffer = scratchBuffer();
  const length = cGet(cPath(path), name, buffer, buffer.length);
  if (length === -1) {
    const errno = lastErrno();
    const text = errnoName(errno);
    if (text === 'ENODATA' || text === 'EOPNOTSUPP') return undefined;
    throw sysError(errno, 'lgetxattr', path, name);
  }
  return Buffer.from(buffer.subarray(0, length));
}

/**
 * Sets an extended attribute of `path` itself.
 *
 * @param mode - `create` fails where it exists, `replace` where it does not.
 * @throws {@link EngineError} notImplemented where the filesystem has none of this kind.
 */
export function lsetxattr(path: FilePath, name: string, value: Uint8Array, mode?: 'create' | 'replace'): void {
  const flags = mode === 'create' ? XATTR_CREATE : mode === 'replace' ? XATTR_REPLACE : 0;
  check(cSet(cPath(path), name, value, value.byteLength, flags), 'lsetxattr', path, name);
}

/** The names of the extended attributes of `path` itself; none where the filesystem knows none. */
export function llistxattr(path: FilePath): string[] {
  const buffer = scratchBuffer();
  const length = cList(cPath(path), buffer, buffer.length);
  if (length === 0) return [];
  if (length === -1) {
    const errno = lastErrno();
    if (errnoName(errno) === 'EOPNOTSUPP') return [];
    throw sysError(errno, 'llistxattr', path);
  }
  return buffer.toString('utf8', 0, length - 1).split('\0');
}

/** Removes an extended attribute of `path` itself. */
export function lremovexattr(path: FilePath, name: string): void {
  check(cRemove(cPath(path), name), 'lremovexattr', path, name);
}
