import { failpoint } from '#lib';
import type { ChainId, Digest } from '#spec';
import type { BlobStore } from '../blobs/index.ts';
import type { Leases } from '../leases/leases.ts';
import type { Database } from '../meta/index.ts';
import type { Layer, LayerStore } from '../snapshots/index.ts';

/** What a collection removed. */
export interface Collected {
  /** Topmost first within a stack. */
  layers: Layer[];
  blobs: Digest[];
  /** What that freed: the layers' files and the blobs. */
  freedBytes: number;
}

export interface CollectorParts {
  db: Database;
  blobs: BlobStore;
  layers: LayerStore;
  leases: Leases;
}

/** Marks a layer and all below it. */
function markChain(marked: Set<ChainId>, layers: ReadonlyMap<ChainId, Layer>, top: ChainId): void {
  for (let next: ChainId | undefined = top; next !== undefined && !marked.has(next);) {
    const layer = layers.get(next);
    if (!layer) return;
    marked.add(next);
    next = layer.parentChainId;
  }
}

/** Topmost first, so that no row is removed before the rows that refer to it. */
function topmostFirst(doomed: readonly Layer[], all: ReadonlyMap<ChainId, Layer>): Layer[] {
  const depth = (layer: Layer): number => {
    let count = 0;
    for (let next = layer.parentChainId; next !== undefined; next = all.get(next)?.parentChainId) count += 1;
    return count;
  };
  return doomed
    .map((layer) => ({ layer, depth: depth(layer) }))
    .sort((a, b) => b.depth - a.depth)
    .map(({ layer }) => layer);
}

/**
 * Removes every layer and blob that no image, no container and no lease refers to, and frees their bytes.
 *
 * Marking and taking out happen in one synchronous step after the blobs were listed, so whoever pins first and looks
 * second is safe at any time.
 */
export async function collect(parts: CollectorParts): Promise<Collected> {
  const listed = await parts.blobs.list();
  const doomedLayers = sweepLayers(parts);
  const keep = new Set<string>([...referredBlobs(parts.db), ...parts.leases.blobs()]);
  const removed = listed.flatMap((digest) => {
    if (keep.has(digest) || !parts.blobs.has(digest)) return [];
    const sizeBytes = parts.blobs.sizeBytes(digest);
    const free = parts.blobs.detach(digest);
    return free ? [{ digest, free, sizeBytes }] : [];
  });
  failpoint('collect-detached');
  await Promise.all([...doomedLayers.map(({ free }) => free()), ...removed.map(({ free }) => free())]);
  const layers = doomedLayers.map(({ layer }) => layer);
  const freedBytes = [...layers, ...removed].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { layers, blobs: removed.map(({ digest }) => digest), freedBytes };
}

function sweepLayers({ db, layers, leases }: CollectorParts): { layer: Layer; free: () => Promise<void> }[] {
  return db.transaction(() => {
    const all = new Map(layers.list().map((layer) => [layer.chainId, layer]));
    const marked = new Set<ChainId>();
    const roots = db
      .prepare(
        `SELECT chain_id FROM image_layers UNION SELECT chain_id FROM build_cache
         UNION SELECT parent_chain_id FROM container_layers WHERE parent_chain_id IS NOT NULL`,
      )
      .all();
    for (const row of roots) markChain(marked, all, String(row['chain_id']) as ChainId);
    for (const chainId of leases.layers()) markChain(marked, all, chainId);
    const doomed = topmostFirst(
      [...all.values()].filter((layer) => !marked.has(layer.chainId)),
      all,
    );
    return doomed.map((layer) => ({ layer, free: layers.detach(layer) }));
  });
}

/** Blobs that the database refers to. */
export function referredBlobs(db: Database): Set<string> {
  const rows = db
    .prepare(
      `SELECT id AS digest FROM images UNION SELECT manifest_digest FROM images
       UNION SELECT blob_digest FROM image_layers UNION SELECT blob_digest FROM layers
       UNION SELECT digest FROM indexes UNION SELECT blob_digest FROM index_blobs`,
    )
    .all();
  return new Set(rows.map((row) => String(row['digest'])));
}
