import { availableParallelism } from 'node:os';
import { WorkerPool } from './worker-pool.ts';

/** Unpacking is limited by processors and disks, but a source may be a slow download, so a few more than those. */
const UNPACK_WORKERS = Math.max(4, availableParallelism() + 2);
/** Packing goes at its reader's pace, so slow readers must not keep each other from starting. */
const PACK_WORKERS = 32;

export const unpackPool: WorkerPool = new WorkerPool(UNPACK_WORKERS);
export const packPool: WorkerPool = new WorkerPool(PACK_WORKERS);

/** Starts a thread for the first unpacking ahead of it: worth it as soon as one is sure to come. */
export function warmUpUnpacking(): void {
  unpackPool.warmUp();
}

/** Ends the threads kept for the next job; without it they go by themselves, and never keep the process alive. */
export async function closeArchiveWorkers(): Promise<void> {
  await Promise.all([unpackPool.close(), packPool.close()]);
}
