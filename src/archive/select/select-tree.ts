import type { Readable } from 'node:stream';
import { EngineError } from '#errors';
import type { MatchOptions, SelectedPath, SelectOptions } from '../contract.ts';
import { PackStream } from '../pack/pack-stream.ts';
import { JobControl } from '../workers/job-control.ts';
import { packPool } from '../workers/pools.ts';

/**
 * What the sources of a copy mean below `root`: wildcards spread, links followed inside it, what `ignore` leaves out gone.
 *
 * @throws {@link EngineError} notFound `COPY_SOURCE_MISSING` for a source that is not there.
 */
export async function matchSources(options: MatchOptions): Promise<readonly SelectedPath[]> {
  const { root, sources, ignore, signal } = options;
  signal?.throwIfAborted();
  const job = { kind: 'match', root, sources, ignore } as const;
  const result = await packPool.use(signal, (worker) => worker.run(job, new JobControl(), {}));
  if (typeof result === 'object' && 'matches' in result) return result.matches;
  throw new EngineError('internal', 'ARCHIVE_WORKER', 'unexpected answer to matching');
}

/**
 * Packs chosen paths under new names into an uncompressed tar; see {@link packTree} for the stream. Equal selections of equal trees give
 * equal archives, and with `withoutTimes` their digest is one of content, names, modes and owners alone.
 */
export function selectTree(options: SelectOptions): Readable {
  const { signal, ...job } = options;
  return PackStream.start({ kind: 'select', ...job }, signal);
}
