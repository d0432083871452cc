import { closeSync, openSync, rmSync } from 'node:fs';
import { hasErrno } from '../errno.ts';
import { MNT } from '../mounts/flags.ts';
import { bind, unmount } from '../mounts/mount.ts';
import { CLONE } from './flags.ts';
import { setnsThread, unshareThread } from './threads.ts';

const OWN_NETNS = '/proc/thread-self/ns/net';

/** Runs `work` and returns to the network namespace this thread was in; see the rules in `threads.ts`. */
function returningHome<T>(work: () => T): T {
  const home = openSync(OWN_NETNS, 'r');
  try {
    return work();
  } finally {
    // Without this the daemon would live on in a foreign namespace; entering one's own through an open fd cannot be refused.
    setnsThread(home, CLONE.NEWNET);
    closeSync(home);
  }
}

/**
 * Makes a new network namespace, kept alive by a bind mount on the new file `path`.
 *
 * @param inside - runs synchronously in the new namespace, say to open sockets there.
 * @throws {@link EngineError} alreadyExists when `path` exists; after a failure nothing is left.
 */
export function createNetns<T = undefined>(path: string, inside?: () => T): T | undefined {
  closeSync(openSync(path, 'wx', 0o444));
  try {
    return returningHome(() => {
      unshareThread(CLONE.NEWNET);
      bind(OWN_NETNS, path);
      return inside?.();
    });
  } catch (error) {
    removeNetns(path);
    throw error;
  }
}

/** Lets go of a namespace made by {@link createNetns}; it ends with its last process and socket. Repeatable. */
export function removeNetns(path: string): void {
  try {
    unmount(path, MNT.DETACH | MNT.NOFOLLOW);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EINVAL')) throw error;
  }
  rmSync(path, { force: true });
}

/** Runs `work` synchronously inside the network namespace at `path` (a bind mount, or `/proc/<pid>/ns/net`). */
export function withNetns<T>(path: string, work: () => T): T {
  const fd = openSync(path, 'r');
  try {
    return returningHome(() => {
      setnsThread(fd, CLONE.NEWNET);
      return work();
    });
  } finally {
    closeSync(fd);
  }
}
