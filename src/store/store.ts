import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import type { Logger } from '#lib';
import type { Sys } from '#sys';
import { BlobStore } from './blobs/index.ts';
import { BuildCacheRecords } from './build-cache/index.ts';
import { readBootId } from './files/boot-id.ts';
import { removeTree } from './files/remove-tree.ts';
import { fsck, type FsckOptions, type FsckReport } from './fsck/fsck.ts';
import { collect, type Collected } from './gc/collect.ts';
import { ImageRecords, IndexRecords } from './images/index.ts';
import { Leases } from './leases/leases.ts';
import type { Database } from './meta/index.ts';
import { ContainerLayerStore, LayerRecords, LayerStore, type Unpack } from './snapshots/index.ts';

export interface StoreOptions {
  /** Folder of blobs and layers; made if needed. One process at a time. */
  root: string;
  /** Opened with `storeMigrations` among its migrations; stays the caller's to close, after the store. */
  db: Database;
  sys: Sys;
  unpack: Unpack;
  logger: Logger;
}

/**
 * Everything images and containers keep on disk.
 *
 * ```
 * <root>/blobs/sha256/<hex>   content as it came: configs, manifests, layers
 * <root>/ingest/<random>      being written; emptied at start
 * <root>/l/<n>                layers, unpacked
 * <root>/i/<n>                what all containers of an image find above its layers
 * <root>/rw/<container id>/   writable layers
 * ```
 */
export class Store implements AsyncDisposable {
  readonly root: string;
  readonly blobs: BlobStore;
  readonly layers: LayerStore;
  readonly images: ImageRecords;
  readonly indexes: IndexRecords;
  readonly containerLayers: ContainerLayerStore;
  readonly leases: Leases;
  readonly buildCache: BuildCacheRecords;
  readonly #db: Database;
  readonly #sys: Sys;
  readonly #logger: Logger;
  /** Collections that nobody waits for yet. */
  readonly #background: Set<Promise<void>>;

  constructor(options: StoreOptions) {
    mkdirSync(options.root, { recursive: true, mode: 0o700 });
    // Layers hold setuid programs: nobody else on the host gets in, also where an older folder was more open.
    chmodSync(options.root, 0o700);
    this.root = options.root;
    this.#db = options.db;
    this.#sys = options.sys;
    this.#logger = options.logger;
    this.#background = new Set();
    this.blobs = new BlobStore(options.root);
    this.images = new ImageRecords(options.db);
    this.indexes = new IndexRecords(options.db);
    this.leases = new Leases();
    this.buildCache = new BuildCacheRecords(options.db);
    this.layers = new LayerStore({
      root: options.root,
      records: new LayerRecords(options.db),
      blobs: this.blobs,
      unpack: options.unpack,
      bootId: readBootId(),
      sys: options.sys,
      logger: options.logger,
    });
    this.containerLayers = new ContainerLayerStore({
      root: options.root,
      db: options.db,
      sys: options.sys,
      layers: this.layers,
      released: () => this.collect(),
    });
  }

  /** One transaction over whatever is called inside; nothing awaited in there. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  /** Frees what nothing refers to. Call after dropping references or a lease. */
  async collect(): Promise<Collected> {
    return await collect({ db: this.#db, blobs: this.blobs, layers: this.layers, leases: this.leases });
  }

  /** {@link collect} without waiting, where the caller has given its answer already; `close` waits for it. */
  collectLater(): void {
    const collecting = this.collect()
      .then(() => undefined)
      .catch((error: unknown) => this.#logger.error('cannot free what is no longer used', { error }))
      .finally(() => this.#background.delete(collecting));
    this.#background.add(collecting);
  }

  /** Waits for what runs in the background. */
  async settle(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** Compares all of it with itself. Reads every blob. */
  async fsck(options: FsckOptions): Promise<FsckReport> {
    return await fsck({ store: this, db: this.#db, sys: this.#sys }, options);
  }

  /** Before anything else: removes what a killed predecessor left behind, repairs what an unclean boot did. */
  async recover(): Promise<void> {
    const ingest = await this.blobs.listIngest();
    await Promise.all(ingest.map((name) => removeTree(this.blobs.ingestEntryPath(name))));
    await this.containerLayers.recover();
    await this.layers.recover();
    await this.collect();
  }

  /** Syncs the filesystem, so that the next boot need not doubt the layers. The database stays open. */
  async close(): Promise<void> {
    await this.settle();
    const fd = openSync(this.root, 'r');
    try {
      this.#sys.files.syncFilesystem(fd);
    } finally {
      closeSync(fd);
    }
    this.layers.markSynced();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Opens the store in `options.root` and brings it in order. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new Store(options);
  await store.recover();
  return store;
}
