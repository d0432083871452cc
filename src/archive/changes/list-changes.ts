import type { ListChangesOptions, TreeChange } from '../contract.ts';
import { JobControl } from '../workers/job-control.ts';
import { packPool } from '../workers/pools.ts';

/**
 * What a container changed: the entries of an overlay's upper directory compared with the layers below, sorted by path.
 *
 * Safe while the overlay is mounted and in use; changes made meanwhile may or may not be seen.
 */
export async function listChanges(options: ListChangesOptions): Promise<TreeChange[]> {
  const { upper, lowers, signal } = options;
  const job = { kind: 'changes', upper, lowers } as const;
  const result = await packPool.use(signal, (worker) => worker.run(job, new JobControl(), {}));
  return Array.isArray(result) ? result : [];
}
