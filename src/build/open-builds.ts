import { join } from 'node:path';
import { BuildCache } from './cache/build-cache.ts';
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
  /** Tells that the cache was pruned. */
  readonly pruned: (freedBytes: number) => void;
}

export interface PruneCommand {
  readonly all: boolean;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly keepBytes: number | undefined;
}

/** Everything about builds that the API and the daemon call. */
export interface Builds {
  readonly cache: BuildCache;
  build(command: BuildCommand): AsyncGenerator<ProgressLine, void, undefined>;
  cancel(buildId: string): void;
  prune(command: PruneCommand): Promise<PruneBuildCacheResponse>;
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
  const { store, sys, executor, images, root, execRoot, pruned } = options;
  const folders = new ContextFolders(join(root, 'contexts'));
  const work = new ContextFolders(join(root, 'work'));
  await folders.recover();
  await work.recover();
  const cacheMounts = new CacheMounts(join(root, 'cache-mounts'));
  const fetch = createFetchSource(folders, sys);
  const builder = new Builder({ store, sys, executor, images, fetch, work, cacheMounts, execRoot });
  const service = new BuildService({ builder, folders, sys });
  const cache = new BuildCache({ store, cacheMounts, pruned });
  return {
    cache,
    build: (command) => service.build(command),
    cancel: (buildId) => service.cancel(buildId),
    prune: ({ keepBytes = 0, ...request }) => cache.prune({ ...request, keepBytes }),
  };
}
