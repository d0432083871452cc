import { closeSync, openSync } from 'node:fs';
import { check, sysError } from '../errno.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { cPath } from '../native/path.ts';

export interface SpawnRequest {
  /** An absolute path: there is no search. */
  path: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** The child's descriptors from 0 on: ours to be duplicated, or `null` for /dev/null. It gets no others. */
  fds: readonly (number | 'null')[];
}

const F_DUPFD_CLOEXEC = 1030;
const O_CLOEXEC = 0o2000000;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** Larger than glibc's and musl's `posix_spawnattr_t`, `posix_spawn_file_actions_t` and `sigset_t`. */
const STRUCTURE_BYTES = 512;

type Text = readonly (string | null)[];
const cSpawn = nativeFunction<[Pointer, string | Buffer, Pointer, Pointer, Text, Text], number>('posix_spawn', 'int', [
  'void *',
  'const char *',
  'const void *',
  'const void *',
  'const char **',
  'const char **',
]);
const cInitActions = nativeFunction<[Pointer], number>('posix_spawn_file_actions_init', 'int', ['void *']);
const cDestroyActions = nativeFunction<[Pointer], number>('posix_spawn_file_actions_destroy', 'int', ['void *']);
const cAddDup = nativeFunction<[Pointer, number, number], number>('posix_spawn_file_actions_adddup2', 'int', [
  'void *',
  'int',
  'int',
]);
const cAddChdir = nativeFunction<[Pointer, string], number>('posix_spawn_file_actions_addchdir_np', 'int', [
  'void *',
  'const char *',
]);
const cInitAttributes = nativeFunction<[Pointer], number>('posix_spawnattr_init', 'int', ['void *']);
const cSetFlags = nativeFunction<[Pointer, number], number>('posix_spawnattr_setflags', 'int', ['void *', 'short']);
const cSetDefault = nativeFunction<[Pointer, Pointer], number>('posix_spawnattr_setsigdefault', 'int', [
  'void *',
  'const void *',
]);
const cSetMask = nativeFunction<[Pointer, Pointer], number>('posix_spawnattr_setsigmask', 'int', [
  'void *',
  'const void *',
]);
const cFillSet = nativeFunction<[Pointer], number>('sigfillset', 'int', ['void *']);
const cEmptySet = nativeFunction<[Pointer], number>('sigemptyset', 'int', ['void *']);
const cFcntl = nativeFunction<[number, number, number], number>('fcntl', 'int', ['int', 'int', 'int']);
const cPipe = nativeFunction<[Pointer, number], number>('pipe2', 'int', ['void *', 'int']);

let attributes: Buffer | undefined;

/** A session of its own, and every signal as a program expects it; Node ignores SIGPIPE, and that would be inherited. */
function detachedAttributes(): Buffer {
  if (attributes !== undefined) return attributes;
  const made = Buffer.alloc(STRUCTURE_BYTES);
  const signals = Buffer.alloc(STRUCTURE_BYTES);
  cInitAttributes(made);
  cSetFlags(made, SETSIGDEF | SETSIGMASK | SETSID);
  cFillSet(signals);
  cSetDefault(made, signals);
  cEmptySet(signals);
  cSetMask(made, signals);
  attributes = made;
  return made;
}

/**
 * Starts a program in `/`, in a session of its own. Node's `spawn` copies this process's page tables, which stops a
 * large process for milliseconds; this stops it only until the program is loaded, some 0.3 ms.
 *
 * The child is the caller's to reap: Node does not know it.
 *
 * @returns its pid.
 * @throws {@link EngineError} notFound and the like when the program cannot be executed.
 */
export function spawnDetached({ path, args, env, fds }: SpawnRequest): number {
  using opened = new DisposableStack();
  const closing = (fd: number): number => {
    opened.defer(() => closeSync(fd));
    return fd;
  };
  // Above all targets, so that no duplication overwrites a source that is still needed.
  const lifted = (fd: number): number =>
    fd >= fds.length ? fd : closing(check(cFcntl(fd, F_DUPFD_CLOEXEC, fds.length), 'fcntl', `fd ${fd}`));
  const sources = fds.map((fd) => lifted(fd === 'null' ? closing(openSync('/dev/null', 'r+')) : fd));
  const actions = Buffer.alloc(STRUCTURE_BYTES);
  cInitActions(actions);
  opened.defer(() => cDestroyActions(actions));
  for (const [target, source] of sources.entries()) cAddDup(actions, source, target);
  cAddChdir(actions, '/');
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const pid = Buffer.alloc(4);
  const errno = cSpawn(pid, cPath(path), actions, detachedAttributes(), [path, ...args, null], [...environment, null]);
  if (errno !== 0) throw sysError(errno, 'posix_spawn', path);
  return pid.readInt32LE(0);
}

/** A pipe, not inherited by programs unless asked for. The caller closes both ends. */
export function createPipe(): { readFd: number; writeFd: number } {
  const ends = Buffer.alloc(8);
  check(cPipe(ends, O_CLOEXEC), 'pipe2');
  return { readFd: ends.readInt32LE(0), writeFd: ends.readInt32LE(4) };
}
