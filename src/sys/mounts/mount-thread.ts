import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { sysError } from '../errno.ts';

/** What the thread is given, and what it answers: 0, or the errno of the failed call. */
export interface MountJob {
  source: string | null;
  target: string;
  fsType: string | null;
  flags: number;
  data: string | null;
}

/**
 * mount(2) on a thread of its own, for what may wait long: network file systems, whose servers need not answer.
 * The mount namespace is the process's.
 *
 * @throws {@link EngineError} as `mount` does.
 */
export async function mountInThread(
  source: string | null,
  target: string,
  fsType: string | null,
  flags: number,
  data: string | null = null,
): Promise<void> {
  const workerData: MountJob = { source, target, fsType, flags, data };
  const worker = new Worker(new URL(`./mount-worker${extname(import.meta.url)}`, import.meta.url), { workerData });
  const errno = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  if (errno !== 0) throw sysError(errno, 'mount', fsType ?? source ?? 'none', 'on', target);
}
