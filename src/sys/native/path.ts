import { EngineError } from '#errors';

/** A file name: text, or bytes where it may not be UTF-8 (as in archives). */
export type FilePath = string | Buffer;

/**
 * A path as the C library takes it. A NUL inside is refused: the kernel would act on the part before it.
 *
 * @throws {@link EngineError} invalidArgument for a path with a NUL byte.
 */
export function cPath(path: FilePath): string | Buffer {
  if (typeof path === 'string') {
    if (path.includes('\0')) throw nulInPath(path);
    return path;
  }
  if (path.includes(0)) throw nulInPath(path.toString());
  const terminated = Buffer.allocUnsafe(path.length + 1);
  path.copy(terminated);
  terminated[path.length] = 0;
  return terminated;
}

function nulInPath(path: string): EngineError {
  return new EngineError('invalidArgument', 'SYS_NUL_IN_PATH', `path ${JSON.stringify(path)} contains a NUL byte`);
}
