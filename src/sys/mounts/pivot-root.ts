import { isMainThread } from 'node:worker_threads';
import { EngineError } from '#errors';
import { check } from '../errno.ts';
import { type Pointer, systemCall } from '../native/koffi.ts';
import { chdir } from '../namespaces/threads.ts';
import { MNT } from './flags.ts';
import { unmount } from './mount.ts';

/** One of the few calls whose number differs. */
const PIVOT_ROOT = process.arch === 'arm64' ? 41 : 155;
const sysPivotRoot = systemCall<[Pointer, Pointer]>(PIVOT_ROOT, ['const char *', 'const char *']);

/**
 * Makes the mount at `newRoot` the root of this worker thread's own mount namespace, in which nothing else stays mounted.
 * `unshare(CLONE.FS | CLONE.NEWNS)` and private or slave propagation come first; see `namespaces/threads.ts`.
 *
 * @throws {@link EngineError} internal on the main thread.
 */
export function pivotRoot(newRoot: string): void {
  if (isMainThread) throw new EngineError('internal', 'SYS_MAIN_THREAD', 'pivot_root is for worker threads');
  chdir(newRoot);
  check(sysPivotRoot('.', '.'), 'pivot_root', newRoot);
  // The old root now lies on top of the new one; see pivot_root(2), "pivot_root(\".\", \".\")".
  unmount('.', MNT.DETACH);
  chdir('/');
}
