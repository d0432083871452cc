import { failpoint, nowNano } from '#lib';
import type { BuildCacheEntry, PruneBuildCacheResponse } from '#spec';
import type { Store } from '#store';
import type { CacheMounts } from '../ops/cache-mounts.ts';
import { listEntries } from './cache-entries.ts';
import { choosePruned, type PruneRequest } from './choose-pruned.ts';

export interface BuildCacheOptions {
  readonly store: Store;
  readonly cacheMounts: CacheMounts;
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
  usage(): BuildCacheEntry[] {
    return listEntries(this.#options.store).map(({ key: _key, ...entry }) => entry);
  }

  /** Frees what was not used for the longest time. */
  async prune(request: PruneRequest): Promise<PruneBuildCacheResponse> {
    const { store, pruned } = this.#options;
    const chosen = choosePruned(listEntries(store), request, nowNano());
    store.transaction(() => {
      for (const { key } of chosen) store.buildCache.remove(key);
    });
    failpoint('build-cache-pruned');
    const { freedBytes } = await store.collect();
    pruned(freedBytes);
    return { CachesDeleted: chosen.length === 0 ? null : chosen.map(({ ID }) => ID), SpaceReclaimed: freedBytes };
  }
}
