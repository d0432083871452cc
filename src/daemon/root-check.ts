import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { EngineError } from '#errors';
import type { Sys } from '#sys';

/**
 * Refuses to work in a chroot: a container's mounts hang below the root of the mount namespace, and whoever joins that
 * namespace (every exec does) gets its root, not the directory we take for `/`.
 *
 * @throws unavailable in a chroot, whether or not its directory is a mount point.
 */
export async function checkRoot(mounts: Pick<Sys['mounts'], 'listMounts'>): Promise<void> {
  const isMountPoint = mounts.listMounts().some(({ target }) => target === '/');
  if (isMountPoint && rootId('/') === (await namespaceRootId())) return;
  throw new EngineError(
    'unavailable',
    'IN_A_CHROOT',
    "this is a chroot: / is not the root of the mount namespace, so no container can get a root of its own, and exec would end up outside of it; enter the folder by pivot_root instead (CONTRIBUTING.md tells how), or use a container's or machine's own root",
  );
}

function rootId(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}

/** Joins the mount namespace anew on a thread of its own, which leads to its root. */
async function namespaceRootId(): Promise<string> {
  const file = `./root-check-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`;
  const worker = new Worker(new URL(file, import.meta.url));
  return await new Promise<string>((resolve, reject) => {
    worker.once('message', (id: string) => resolve(id));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the check of / ended with ${code}`)));
  });
}
