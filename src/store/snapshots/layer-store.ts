import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { UnpackOptions, UnpackResult } from '#archive';
import { EngineError } from '#errors';
import { failpoint, KeyedMutex, Semaphore, type Logger } from '#lib';
import type { ChainId, Digest } from '#spec';
import type { Sys } from '#sys';
import type { BlobStore } from '../blobs/index.ts';
import { removeTree } from '../files/remove-tree.ts';
import { chainIdOf } from './chain.ts';
import { InitLayers } from './init-layers.ts';
import type { Layer, LayerRecords } from './layer-records.ts';

/** The archive module's `unpack`; given at construction so that tests without root have their own. */
export type Unpack = (options: UnpackOptions) => Promise<UnpackResult>;

/** A layer unpacked in the ingest folder, belonging to no chain yet. Disposing removes it unless a layer took it over. */
export interface UnpackedLayer extends AsyncDisposable {
  readonly path: string;
  readonly result: UnpackResult;
}

export interface LayerStoreOptions {
  root: string;
  records: LayerRecords;
  blobs: BlobStore;
  unpack: Unpack;
  bootId: string;
  sys: Pick<Sys, 'files'>;
  logger: Logger;
}

/** The lower directory of containers from images without layers. */
const EMPTY_DIR = 'empty';

/**
 * Read-only layers, unpacked, by chain ID.
 *
 * ```
 * l/<n>       the root of a layer's files; n counts in base 36, so that many fit into a page of mount options
 * l/empty     the bottom of a stack without layers
 * ```
 *
 * Files here are not synced one by one: a layer carries the boot it was unpacked under, and after a boot that came without
 * a clean end (`markSynced`) it is unpacked again from its blob before anyone uses it.
 */
export class LayerStore {
  readonly #directory: string;
  readonly #records: LayerRecords;
  readonly #blobs: BlobStore;
  readonly #unpack: Unpack;
  readonly #bootId: string;
  readonly #logger: Logger;
  readonly #locks: KeyedMutex;
  readonly #unpacks: Semaphore;
  readonly #inits: InitLayers;
  #lastDir: number;

  constructor(options: LayerStoreOptions) {
    this.#directory = join(options.root, 'l');
    this.#records = options.records;
    this.#blobs = options.blobs;
    this.#unpack = options.unpack;
    this.#bootId = options.bootId;
    this.#logger = options.logger;
    this.#locks = new KeyedMutex();
    this.#unpacks = new Semaphore(Math.max(2, availableParallelism()));
    mkdirSync(join(this.#directory, EMPTY_DIR), { recursive: true, mode: 0o700 });
    this.#inits = new InitLayers(options.root, options.sys.files, options.bootId);
    this.#lastDir = Math.max(0, ...this.#records.list().map((layer) => Number.parseInt(layer.dir, 36)));
  }

  find(chainId: ChainId): Layer | undefined {
    return this.#records.find(chainId);
  }

  /** @throws {@link EngineError} notFound. */
  get(chainId: ChainId): Layer {
    const layer = this.find(chainId);
    if (!layer) throw new EngineError('notFound', 'LAYER_NOT_FOUND', `layer ${chainId} is not in the store`);
    return layer;
  }

  list(): Layer[] {
    return this.#records.list();
  }

  /** Whether unpacking this blob would probably be for nothing. */
  isKnown(digest: Digest): boolean {
    return this.#records.isKnown(digest);
  }

  path(layer: Layer): string {
    return join(this.#directory, layer.dir);
  }

  /** The directories of a stack, topmost first, ready for an overlay mount; never empty. */
  lowerDirs(chainId: ChainId | undefined): string[] {
    const dirs: string[] = [];
    for (let next = chainId; next !== undefined;) {
      const layer = this.get(next);
      dirs.push(this.path(layer));
      next = layer.parentChainId;
    }
    return dirs.length === 0 ? [join(this.#directory, EMPTY_DIR)] : dirs;
  }

  /** What a container's writable layer stands on, topmost first: {@link lowerDirs} under its init layer. */
  containerLowerDirs(chainId: ChainId | undefined): string[] {
    return [this.#inits.path(this.#topDir(chainId)), ...this.lowerDirs(chainId)];
  }

  /** Makes the init layer of {@link containerLowerDirs} unless it is there. */
  ensureInitLayer(chainId: ChainId | undefined): void {
    this.#inits.ensure(this.#topDir(chainId), this.lowerDirs(chainId));
  }

  #topDir(chainId: ChainId | undefined): string {
    return chainId === undefined ? EMPTY_DIR : this.get(chainId).dir;
  }

  /**
   * Unpacks a (compressed) layer tar into the ingest folder; several at once as there are processors.
   *
   * @param source - its path, or what says where to read it once it is its turn: by then a file may have come whole.
   */
  async unpack(source: string | (() => UnpackOptions['source']), signal?: AbortSignal): Promise<UnpackedLayer> {
    const target = this.#blobs.ingestPath('layer');
    return await this.#unpacks.run(async () => {
      await mkdir(target);
      try {
        // The layer's root, unless its archive says otherwise; whatever our umask.
        await chmod(target, 0o755);
        const result = await this.#unpack({
          source: typeof source === 'string' ? { path: source } : source(),
          root: target,
          whiteouts: 'overlay',
          ...(signal === undefined ? {} : { signal }),
        });
        return { path: target, result, [Symbol.asyncDispose]: () => removeTree(target) };
      } catch (error) {
        await removeTree(target);
        throw error;
      }
    }, signal);
  }

  /**
   * The layer `diffId` on `parent`, unpacked from the blob (or taken from `unpacked`) unless it is there already.
   * Its chain must be pinned. One caller per chain unpacks, others wait and find it.
   *
   * @throws {@link EngineError} invalidArgument when the blob does not have that diff ID.
   */
  async ensure(
    wanted: { parent: ChainId | undefined; diffId: Digest; blobDigest: Digest },
    unpacked?: () => Promise<UnpackedLayer> | undefined,
    signal?: AbortSignal,
  ): Promise<Layer> {
    const chainId = chainIdOf(wanted.parent, wanted.diffId);
    return await this.#locks.run(
      chainId,
      async () => this.find(chainId) ?? (await this.#create(chainId, wanted, unpacked, signal)),
      signal,
    );
  }

  /** After a start: removes folders that no layer owns, and unpacks again what an unclean boot may have damaged. */
  async recover(): Promise<void> {
    const layers = this.#records.list();
    const known = new Set([EMPTY_DIR, ...layers.map((layer) => layer.dir)]);
    const leftovers = (await readdir(this.#directory)).filter((name) => !known.has(name));
    await Promise.all(leftovers.map((name) => removeTree(join(this.#directory, name))));
    const doubtful = layers.filter((layer) => this.#isDoubtful(layer));
    await Promise.all(doubtful.map((layer) => this.#repair(layer)));
    await this.#inits.recover(new Set([EMPTY_DIR, ...this.#records.list().map((layer) => layer.dir)]));
  }

  /** Takes a layer out of the database, which must be in a transaction; the answer frees its bytes. */
  detach(layer: Layer): () => Promise<void> {
    this.#records.remove(layer.chainId);
    return async () => {
      await removeTree(this.path(layer));
      await this.#inits.remove(layer.dir);
    };
  }

  /** Call after syncing the filesystem: layers of this boot are safe from now on. */
  markSynced(): void {
    this.#records.markSynced(this.#bootId);
  }

  async #create(
    chainId: ChainId,
    wanted: { parent: ChainId | undefined; diffId: Digest; blobDigest: Digest },
    unpacked: (() => Promise<UnpackedLayer> | undefined) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Layer> {
    const source = (await unpacked?.()) ?? (await this.unpack(this.#blobs.path(wanted.blobDigest), signal));
    const { result } = source;
    if (result.diffId !== wanted.diffId) {
      await source[Symbol.asyncDispose]();
      throw new EngineError(
        'invalidArgument',
        'LAYER_MISMATCH',
        `layer ${wanted.blobDigest} does not match its diff ID: expected ${wanted.diffId}, got ${result.diffId}`,
      );
    }
    failpoint('layer-unpacked');
    const layer: Layer = {
      chainId,
      parentChainId: wanted.parent,
      diffId: wanted.diffId,
      blobDigest: wanted.blobDigest,
      dir: this.#adopt(source.path),
      sizeBytes: result.contentSizeBytes,
      tarSizeBytes: result.tarSizeBytes,
      bootId: this.#bootId,
    };
    failpoint('layer-renamed');
    this.#records.insert(layer);
    failpoint('layer-recorded');
    return layer;
  }

  #isDoubtful(layer: Layer): boolean {
    return (layer.bootId !== '' && layer.bootId !== this.#bootId) || !existsSync(this.path(layer));
  }

  /** Moves an unpacked tree to its place; answers the folder's name. */
  #adopt(path: string): string {
    this.#lastDir += 1;
    const dir = this.#lastDir.toString(36);
    renameSync(path, join(this.#directory, dir));
    return dir;
  }

  async #repair(layer: Layer): Promise<void> {
    this.#logger.info('unpacking a layer again, since it may be damaged', { chainId: layer.chainId });
    try {
      const { path, result } = await this.unpack(this.#blobs.path(layer.blobDigest));
      if (result.diffId !== layer.diffId)
        throw new EngineError('dataLoss', 'BLOB_DAMAGED', `blob ${layer.blobDigest} has changed`);
      this.#records.replaceDir(layer.chainId, this.#adopt(path), this.#bootId);
      await removeTree(this.path(layer));
    } catch (error) {
      this.#logger.error('cannot unpack a layer again; its image may be damaged', { chainId: layer.chainId, error });
    }
  }
}
