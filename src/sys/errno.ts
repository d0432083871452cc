import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { EngineError, type ErrorKind } from '#errors';
import { koffi } from './native/koffi.ts';

/** What callers can do about each errno; those not listed are `internal`. */
const kinds: Readonly<Record<string, ErrorKind>> = {
  ENOENT: 'notFound',
  ESRCH: 'notFound',
  ENXIO: 'notFound',
  ENODEV: 'notFound',
  ENODATA: 'notFound',
  EEXIST: 'alreadyExists',
  EBUSY: 'conflict',
  ENOTEMPTY: 'conflict',
  ETXTBSY: 'conflict',
  EADDRINUSE: 'conflict',
  EPERM: 'forbidden',
  EACCES: 'forbidden',
  EROFS: 'forbidden',
  EINVAL: 'invalidArgument',
  ENAMETOOLONG: 'invalidArgument',
  ELOOP: 'invalidArgument',
  ENOTDIR: 'invalidArgument',
  EISDIR: 'invalidArgument',
  E2BIG: 'invalidArgument',
  ERANGE: 'invalidArgument',
  EXDEV: 'invalidArgument',
  EFBIG: 'invalidArgument',
  EADDRNOTAVAIL: 'invalidArgument',
  EAGAIN: 'unavailable',
  EINTR: 'unavailable',
  ENOMEM: 'unavailable',
  ENOSPC: 'unavailable',
  EDQUOT: 'unavailable',
  EMFILE: 'unavailable',
  ENFILE: 'unavailable',
  ENOBUFS: 'unavailable',
  EPIPE: 'unavailable',
  ENOTCONN: 'unavailable',
  ECONNREFUSED: 'unavailable',
  ECONNRESET: 'unavailable',
  ETIMEDOUT: 'unavailable',
  ENETUNREACH: 'unavailable',
  EHOSTUNREACH: 'unavailable',
  ENOSYS: 'notImplemented',
  EOPNOTSUPP: 'notImplemented',
  EAFNOSUPPORT: 'notImplemented',
  EUCLEAN: 'dataLoss',
  EBADMSG: 'dataLoss',
};

/** Names that Node does not know; the numbers are the same on x86_64 and aarch64. */
const extraNames: Readonly<Record<number, string>> = { 117: 'EUCLEAN', 123: 'ENOMEDIUM', 126: 'ENOKEY' };

/** Where two names share a number, this one is meant. */
const preferredNames: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' };

const names = new Map<number, string>(Object.entries(extraNames).map(([number, name]) => [Number(number), name]));
for (const [name, number] of Object.entries(constants.errno)) names.set(number, preferredNames[name] ?? name);

/** The symbolic name of an errno (`ENOENT`), or `errno 999` for one without. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** The error kind that callers get for an errno. */
export function errnoKind(errno: number): ErrorKind {
  return kinds[errnoName(errno)] ?? 'internal';
}

function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? errnoName(errno);
}

/**
 * The error for a failed kernel call: kind by the table here, `code` like `SYS_ENOENT`, the errno's name in
 * `details.errno`, and a message saying which call on what.
 */
export function sysError(errno: number, call: string, ...subjects: readonly unknown[]): EngineError {
  const name = errnoName(errno);
  const on = subjects.map((subject) => ` ${String(subject)}`).join('');
  return new EngineError(errnoKind(errno), `SYS_${name.replaceAll(' ', '_')}`, `${call}${on}: ${errnoText(errno)}`, {
    details: { errno: name, call },
  });
}

/** The errno of this thread's last failed call; to be read before anything else happens. */
export function lastErrno(): number {
  return koffi().errno();
}

/** The name of this thread's last errno; see {@link lastErrno}. */
export function lastErrnoName(): string {
  return errnoName(koffi().errno());
}

/** Passes a call's result through, or throws what errno says when it is -1. */
export function check(result: number, call: string, ...subjects: readonly unknown[]): number {
  if (result === -1) throw sysError(koffi().errno(), call, ...subjects);
  return result;
}

/** Whether `error` is one of these errnos (`'ENOENT'`), from this module or from Node's own `fs`. */
export function hasErrno(error: unknown, ...wanted: readonly string[]): boolean {
  if (error instanceof EngineError) {
    const name = error.details['errno'];
    return typeof name === 'string' && wanted.includes(name);
  }
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && wanted.includes(error.code);
}
