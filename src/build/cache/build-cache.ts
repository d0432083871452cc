import { failpoint } from '#lib';
import type { BuildCacheEntry, PruneBuildCacheResponse } from '#spec';
import type { Store } from '#store';
import type { CacheMounts } from '../ops/cache-mounts.ts';
import { type CacheEntry, lastUse, listEntries } from './cache-entries.ts';
import { choosePruned } from './choose-pruned.ts';
import { bytesToKeep, type GcPolicy } from './gc-policy.ts';

export interface BuildCacheOptions {
  readonly store: Store;
  readonly cacheMounts: CacheMounts;
  readonly policies: readonly GcPolicy[];
  readonly freeBytes: () => number;
  /** Tells that the cache was pruned. */
  readonly pruned: (freedBytes: number) => void;
}

/** What builds kept: steps' results and the folders of cache mounts. */
export class BuildCache {
  readonly #options: BuildCacheOptions;

  constructor(options: BuildCacheOptions) {
    this.#options = options;
  }

  /** For `docker system df`. */
  async usage(): Promise<BuildCacheEntry[]> {
    return (await this.#entries()).map(({ key: _key, ...entry }) => entry);
  }

  /** Frees what was not used for the longest time. */
  async prune(policy: GcPolicy): Promise<PruneBuildCacheResponse> {
    const removed = await this.#remove(policy);
    this.#options.pruned(removed.freedBytes);
    return { CachesDeleted: removed.ids.length === 0 ? null : removed.ids, SpaceReclaimed: removed.freedBytes };
  }

  /** Frees what the policies do not let stay. */
  async collect(): Promise<void> {
    for (const policy of this.#options.policies) await this.#remove(policy);
  }

  async #remove(policy: GcPolicy): Promise<{ ids: string[]; freedBytes: number }> {
    const { store, cacheMounts } = this.#options;
    const entries = await this.#entries();
    const cacheBytes = entries.reduce((sum, { Size }) => sum + Size, 0);
    const keepBytes = bytesToKeep(policy, { cacheBytes, freeBytes: this.#options.freeBytes() });
    if (keepBytes === undefined) return { ids: [], freedBytes: 0 };
    const chosen = choosePruned(entries, { ...policy, keepBytes });
    if (chosen.length === 0) return { ids: [], freedBytes: 0 };
    store.transaction(() => {
      for (const { key } of chosen) store.buildCache.remove(key);
    });
    failpoint('build-cache-pruned');
    const ids: string[] = [];
    let freedBytes = 0;
    for (const entry of chosen) {
      if (entry.Type !== 'exec.cachemount') ids.push(entry.ID);
      else if (await cacheMounts.remove(entry.key)) {
        ids.push(entry.ID);
        freedBytes += entry.Size;
      }
    }
    return { ids, freedBytes: freedBytes + (await store.collect()).freedBytes };
  }

  /** The one not used for the longest time first. */
  async #entries(): Promise<CacheEntry[]> {
    const { store, cacheMounts } = this.#options;
    const all = [...listEntries(store), ...(await cacheMounts.list())];
    return all.sort((a, b) => (lastUse(a) < lastUse(b) ? -1 : 1));
  }
}
