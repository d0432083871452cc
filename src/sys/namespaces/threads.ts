/**
 * The thread rules. A namespace, a root directory, a working directory and a umask belong to a thread (a task), and
 * Node runs on many: the main thread, libuv's pool behind every asynchronous `fs` and `dns` call, V8's helpers, workers.
 *
 * 1. Main thread, network namespace only: it may leave its own for the length of one synchronous block
 *    (`withNetns`, `createNetns`). Inside nothing is awaited and no asynchronous call is even started, because a pool
 *    thread that is born meanwhile would keep the foreign namespace for good. The block always returns home.
 *    A socket stays in the namespace it was opened in, so what has to last is opened inside and used afterwards.
 * 2. Everything else (`unshare`, `setns`, `chroot`, `chdir`, `setUmask`) is for worker threads and refused on the main
 *    thread. A worker first gives up sharing with `unshare(CLONE.FS)`: the root and working directories and the umask
 *    are shared by all threads otherwise, and setns(2) into a mount namespace refuses.
 * 3. After that the worker makes only synchronous `fs` calls and calls of this module: asynchronous ones run on pool
 *    threads, which still see the host. Modules it needs (koffi too) are loaded before, from the host's files.
 * 4. Such a worker is never lent to other work. It ends, and its thread with all it took on ends with it. The one
 *    exception are the archive's workers: they run only code of ours, hold an fd of the host's root, and go back to it
 *    between jobs (`chrootToFd`), since starting a thread costs more than unpacking a small layer.
 * 5. `/proc/self` is the main thread. This thread's own things are at `/proc/thread-self`.
 */

import { isMainThread } from 'node:worker_threads';
import { EngineError } from '#errors';
import { check } from '../errno.ts';
import { nativeFunction, type Pointer } from '../native/koffi.ts';
import { type FilePath, cPath } from '../native/path.ts';

const cUnshare = nativeFunction<[number], number>('unshare', 'int', ['int']);
const cSetns = nativeFunction<[number, number], number>('setns', 'int', ['int', 'int']);
const cChroot = nativeFunction<[Pointer], number>('chroot', 'int', ['const char *']);
const cChdir = nativeFunction<[Pointer], number>('chdir', 'int', ['const char *']);
const cFchdir = nativeFunction<[number], number>('fchdir', 'int', ['int']);
const cUmask = nativeFunction<[number], number>('umask', 'uint', ['uint']);

function refuseOnMainThread(call: string): void {
  if (isMainThread) {
    throw new EngineError(
      'internal',
      'SYS_MAIN_THREAD',
      `${call} is for worker threads: it would change the daemon itself`,
    );
  }
}

/** unshare(2) without the thread rules; for this folder only. */
export function unshareThread(flags: number): void {
  check(cUnshare(flags), 'unshare', `0x${flags.toString(16)}`);
}

/** setns(2) without the thread rules; for this folder only. */
export function setnsThread(fd: number, type: number): void {
  check(cSetns(fd, type), 'setns', `fd ${fd}`);
}

/**
 * Gives this worker thread its own copies of what `CLONE` flags name.
 *
 * @throws {@link EngineError} internal on the main thread.
 */
export function unshare(flags: number): void {
  refuseOnMainThread('unshare');
  unshareThread(flags);
}

/**
 * Moves this worker thread into the namespace of `fd` (a namespace file, or a pidfd with several `CLONE` flags).
 *
 * @throws {@link EngineError} internal on the main thread.
 */
export function setns(fd: number, type: number): void {
  refuseOnMainThread('setns');
  setnsThread(fd, type);
}

/**
 * Makes `path` this worker thread's root and working directory. `unshare(CLONE.FS)` comes first.
 *
 * @throws {@link EngineError} internal on the main thread.
 */
export function chroot(path: FilePath): void {
  refuseOnMainThread('chroot');
  check(cChroot(cPath(path)), 'chroot', path);
  check(cChdir('/'), 'chdir', '/');
}

/**
 * Makes the directory open as `fd` this worker thread's root and working directory: also the way back out of a chroot for
 * who opened the old root before.
 *
 * @throws {@link EngineError} internal on the main thread.
 */
export function chrootToFd(fd: number): void {
  refuseOnMainThread('chroot');
  check(cFchdir(fd), 'fchdir', `fd ${fd}`);
  check(cChroot('.'), 'chroot', `fd ${fd}`);
}

/** Changes this worker thread's working directory. `unshare(CLONE.FS)` comes first. */
export function chdir(path: FilePath): void {
  refuseOnMainThread('chdir');
  check(cChdir(cPath(path)), 'chdir', path);
}

/** Sets this worker thread's umask and answers the old one. `unshare(CLONE.FS)` comes first. */
export function setUmask(mask: number): number {
  refuseOnMainThread('umask');
  return cUmask(mask);
}
