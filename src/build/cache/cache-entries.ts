import { parseRfc3339Nano } from '#lib';
import type { BuildCacheEntry, ChainId } from '#spec';
import type { Store } from '#store';

/** What the cache knows of a step, and where its record is. */
export interface CacheEntry extends BuildCacheEntry {
  readonly key: string;
}

/** The cache's records as Docker shows them, the one not used for the longest time first. */
export function listEntries(store: Store): CacheEntry[] {
  const records = store.buildCache.list();
  const byChain = new Map(records.map((record) => [record.chainId, record]));
  const ofImages = new Set(
    store.images.list().flatMap(({ id }) => store.images.layers(id).map(({ chainId }) => chainId)),
  );
  const inUse = pinnedChains(store);
  const counted = new Set<ChainId>();
  return records.map((record): CacheEntry => {
    const layer = store.layers.find(record.chainId);
    const parent = layer?.parentChainId === undefined ? undefined : byChain.get(layer.parentChainId);
    // Two ways to the same files have one layer.
    const isCounted = counted.has(record.chainId);
    counted.add(record.chainId);
    return {
      key: record.key,
      ID: idOf(record.key),
      ...(parent === undefined ? {} : { Parents: [idOf(parent.key)] }),
      Type: 'regular',
      Description: record.description,
      InUse: inUse.has(record.chainId),
      Shared: ofImages.has(record.chainId),
      Size: isCounted ? 0 : (layer?.sizeBytes ?? 0),
      CreatedAt: record.createdAt,
      LastUsedAt: record.lastUsedAt,
      UsageCount: record.uses,
    };
  });
}

/** What running builds hold, with all below it. */
function pinnedChains(store: Store): Set<ChainId> {
  const pinned = new Set<ChainId>();
  for (const top of store.leases.layers()) {
    for (let next: ChainId | undefined = top; next !== undefined && !pinned.has(next);) {
      pinned.add(next);
      next = store.layers.find(next)?.parentChainId;
    }
  }
  return pinned;
}

function idOf(key: string): string {
  return key.replace(/^sha256:/, '').slice(0, 25);
}

/** Nanoseconds since the epoch at which an entry was of use for the last time. */
export function lastUse(entry: CacheEntry): bigint {
  return parseRfc3339Nano(entry.LastUsedAt ?? entry.CreatedAt) ?? 0n;
}
