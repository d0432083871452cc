import { setImmediate as nextTurn } from 'node:timers/promises';
import { failpoint } from '#lib';
import type { Digest } from '#spec';
import type { RegistryStorage } from './registry-storage.ts';

/** Blobs looked at in one turn of the event loop, so that requests go on meanwhile. */
const sweepBatch = 200;

export interface CollectOptions {
  /** Remove manifests that no tag leads to, neither by an index nor as the subject of a referrer. */
  readonly deleteUntagged: boolean;
  /** What was pushed or asked for within this time stays: a push that has not come to its manifest counts on it. */
  readonly graceMs: number;
}

/** What a collection removed. */
export interface CollectedGarbage {
  readonly manifests: number;
  readonly blobLinks: number;
  readonly blobs: number;
  readonly freedBytes: number;
}

const removeUntagged = `
  WITH RECURSIVE live(repository_id, digest) AS (
    SELECT repository_id, digest FROM tags
    UNION
    SELECT r.repository_id, r.digest FROM live CROSS JOIN manifest_references AS r
      ON r.repository_id = live.repository_id AND r.manifest_digest = live.digest AND r.kind = 'manifest'
    UNION
    SELECT m.repository_id, m.digest FROM live CROSS JOIN manifests AS m
      ON m.repository_id = live.repository_id AND m.subject = live.digest
  )
  DELETE FROM manifests WHERE pushed_ms < ?
    AND NOT EXISTS (SELECT 1 FROM live WHERE live.repository_id = manifests.repository_id AND live.digest = manifests.digest)`;

/**
 * Removes what no manifest needs: first, in one transaction, the rows; then the bytes that no row shows, unless they are
 * pinned by a push under way. Pushes and pulls go on meanwhile.
 */
export async function collectGarbage(storage: RegistryStorage, options: CollectOptions): Promise<CollectedGarbage> {
  const beforeMs = Date.now() - options.graceMs;
  const unlinked = await storage.write(() => {
    const manifests = options.deleteUntagged ? storage.db.prepare(removeUntagged).run(beforeMs).changes : 0;
    const blobLinks = storage.links.removeUnreferenced(beforeMs);
    storage.repositories.removeEmpty();
    return { manifests: Number(manifests), blobLinks };
  });
  failpoint('registry-gc-unlinked');
  return { ...unlinked, ...(await sweep(storage)) };
}

async function sweep(storage: RegistryStorage): Promise<{ blobs: number; freedBytes: number }> {
  const digests = await storage.blobs.list();
  let [blobs, freedBytes] = [0, 0];
  for (let at = 0; at < digests.length; at += sweepBatch) {
    const detached = digests.slice(at, at + sweepBatch).flatMap((digest) => detachUnlinked(storage, digest));
    failpoint('registry-gc-detached');
    await Promise.all(detached.map(({ free }) => free()));
    blobs += detached.length;
    freedBytes += detached.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await nextTurn();
  }
  return { blobs, freedBytes };
}

/** Looking and taking out are one synchronous step: whoever pins first and looks second is safe. */
function detachUnlinked(storage: RegistryStorage, digest: Digest): { free: () => Promise<void>; sizeBytes: number }[] {
  if (storage.pins.has(digest) || storage.links.isLinkedAnywhere(digest) || !storage.blobs.has(digest)) return [];
  const sizeBytes = storage.blobs.sizeBytes(digest);
  const free = storage.blobs.detach(digest);
  return free ? [{ free, sizeBytes }] : [];
}
