import { join } from 'node:path';
import type { Logger } from '#lib';
import { BuildCache } from './cache/build-cache.ts';
import { defaultPolicies, type GcPolicy } from './cache/gc-policy.ts';
import { type BuildCommand, BuildService } from './build-service.ts';
import { Builder } from './builder.ts';
import { ContextFolders } from './context/context-folders.ts';
import { createFetchSource } from './context/fetch-source.ts';
import type { BuildImages, Executor } from './contract.ts';
import { CacheMounts } from './ops/cache-mounts.ts';
import type { ProgressLine, PruneBuildCacheResponse } from '#spec';
import type { Store } from '#store';
import type { Sys } from '#sys';

export interface BuildsOptions {
  readonly store: Store;
  readonly sys: Sys;
  readonly executor: Executor;
  readonly images: BuildImages;
  /** Folder on the disk that is ours. */
  readonly root: string;
  /** Folder in memory that is ours. */
  readonly execRoot: string;
  /** What the cache may hold; undefined for what suits the disk, none for no limits. */
  readonly policies: readonly GcPolicy[] | undefined;
  readonly logger: Logger;
  /** Tells that the cache was pruned. */
  readonly pruned: (freedBytes: number) => void;
}

/** Folders of cache mounts are walked to know their sizes: not after every build. */
const COLLECT_PERIOD_MS = 60_000;

export interface PruneCommand {
  readonly all: boolean;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly keepBytes: number | undefined;
  readonly maxUsedBytes: number | undefined;
  readonly minFreeBytes: number | undefined;
}

/** Everything about builds that the API and the daemon call. */
export interface Builds {
  readonly cache: BuildCache;
  build(command: BuildCommand): AsyncGenerator<ProgressLine, void, undefined>;
  cancel(buildId: string): void;
  prune(command: PruneCommand): Promise<PruneBuildCacheResponse>;
  /** Waits for what goes on behind a build's end. */
  close(): Promise<void>;
}

/**
 * Opens what builds need, and removes what a killed daemon left of them.
 *
 * ```
 * <root>/contexts/       what running builds were sent
 * <root>/work/           copies that running builds may write to
 * <root>/cache-mounts/   folders of RUN --mount=type=cache
 * ```
 */
export async function openBuilds(options: BuildsOptions): Promise<Builds> {
  const { store, sys, executor, images, root, execRoot, pruned, logger } = options;
  const folders = new ContextFolders(join(root, 'contexts'));
  const work = new ContextFolders(join(root, 'work'));
  const cacheMounts = new CacheMounts(join(root, 'cache-mounts'), sys);
  for (const each of [folders, work, cacheMounts]) await each.recover();
  const fetch = createFetchSource(folders, sys);
  const builder = new Builder({ store, sys, executor, images, fetch, work, cacheMounts, execRoot });
  const service = new BuildService({ builder, folders, sys });
  const disk = (): { totalBytes: number; availableBytes: number } => sys.files.filesystemStat(root);
  const policies = options.policies ?? defaultPolicies(disk().totalBytes);
  const freeBytes = (): number => disk().availableBytes;
  const cache = new BuildCache({ store, cacheMounts, policies, freeBytes, pruned });
  let collecting = Promise.resolve();
  let collectedAtMs = -Infinity;
  const collectLater = (): void => {
    if (policies.length === 0 || performance.now() - collectedAtMs < COLLECT_PERIOD_MS) return;
    collectedAtMs = performance.now();
    collecting = collecting
      .then(() => cache.collect())
      .catch((error: unknown) => logger.error('cannot free build cache', { error }));
  };
  return {
    cache,
    async *build(command) {
      try {
        yield* service.build(command);
      } finally {
        collectLater();
      }
    },
    cancel: (buildId) => service.cancel(buildId),
    prune: ({ keepBytes: reservedBytes, ...policy }) => cache.prune({ ...policy, reservedBytes }),
    close: () => collecting,
  };
}
