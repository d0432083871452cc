import { EngineError } from '#errors';
import type { LookUpOptions, PathInfo } from '../contract.ts';
import { JobControl } from '../workers/job-control.ts';
import { packPool } from '../workers/pools.ts';

/**
 * Looks at one path of a container.
 *
 * @throws {@link EngineError} with `details.errno`: ENOENT, ENOTDIR and the like.
 */
export async function lookUp({ view, path, signal }: LookUpOptions): Promise<PathInfo> {
  const job = { kind: 'lookUp', root: view, path } as const;
  const result = await packPool.use(signal, (worker) => worker.run(job, new JobControl(), {}));
  if (typeof result === 'object' && 'linkTarget' in result) return result;
  throw unexpected();
}

/**
 * An existing path of a container, all its links followed.
 *
 * @throws {@link EngineError} with `details.errno`: ENOENT, ENOTDIR, ELOOP and the like.
 */
export async function resolveInView({ view, path, signal }: LookUpOptions): Promise<string> {
  const job = { kind: 'resolve', root: view, path } as const;
  const result = await packPool.use(signal, (worker) => worker.run(job, new JobControl(), {}));
  if (typeof result === 'string') return result;
  throw unexpected();
}

function unexpected(): EngineError {
  return new EngineError('internal', 'ARCHIVE_WORKER', 'unexpected answer to a question about a path');
}
