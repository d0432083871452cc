import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { EngineError } from '#errors';
import { failpoint, isErrno, KeyedMutex } from '#lib';
import type { ChainId } from '#spec';
import type { Sys } from '#sys';
import type { ContainerLayers } from '../contract.ts';
import { removeTree } from '../files/remove-tree.ts';
import type { Database, Statement } from '../meta/index.ts';
import type { LayerStore } from './layer-store.ts';

export interface ContainerLayerStoreOptions {
  root: string;
  db: Database;
  sys: Sys;
  layers: LayerStore;
  /** Called when a removed container may have been the last user of its parent. */
  released: () => Promise<unknown>;
}

/** Entries looked at between two turns of the event loop. */
const WALK_BATCH = 512;

/** Features that would make the upper directory unreadable as a plain layer diff, or tie it to its lower ones. */
const OVERLAY_OPTIONS = ['index=off', 'metacopy=off', 'redirect_dir=off'];

/**
 * Writable layers of containers.
 *
 * ```
 * rw/<container id>/upper    what the container changed
 * rw/<container id>/work     overlayfs's own
 * rw/<container id>/merged   where it is mounted
 * ```
 *
 * Folders are made before the row and removed after it: a folder without a row is a leftover. Whether a layer is mounted
 * is asked of the kernel each time, so mounts that outlived the engine count.
 */
export class ContainerLayerStore implements ContainerLayers {
  readonly #directory: string;
  readonly #db: Database;
  readonly #sys: Sys;
  readonly #layers: LayerStore;
  readonly #released: () => Promise<unknown>;
  readonly #locks: KeyedMutex;
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #list: Statement;
  readonly #listRange: Statement;
  readonly #isImageLayer: Statement;

  constructor(options: ContainerLayerStoreOptions) {
    this.#directory = join(options.root, 'rw');
    this.#db = options.db;
    this.#sys = options.sys;
    this.#layers = options.layers;
    this.#released = options.released;
    this.#locks = new KeyedMutex();
    this.#find = this.#db.prepare('SELECT parent_chain_id FROM container_layers WHERE container_id = ?');
    this.#insert = this.#db.prepare('INSERT INTO container_layers VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#delete = this.#db.prepare('DELETE FROM container_layers WHERE container_id = ?');
    this.#list = this.#db.prepare('SELECT container_id FROM container_layers ORDER BY container_id');
    this.#listRange = this.#db.prepare(
      'SELECT container_id FROM container_layers WHERE container_id > ? AND container_id < ?',
    );
    this.#isImageLayer = this.#db.prepare('SELECT 1 FROM image_layers WHERE chain_id = ? LIMIT 1');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  async create(containerId: string, parent: ChainId | undefined): Promise<void> {
    await this.#locks.run(containerId, () => {
      if (this.#find.get(containerId) !== undefined) return;
      if (parent !== undefined) this.#layers.get(parent);
      this.#makeDirectories(containerId);
      failpoint('container-layer-made');
      // The container's own record follows, and is durable.
      this.#db.relaxed(() => this.#insert.run(containerId, parent ?? null));
      failpoint('container-layer-recorded');
    });
  }

  async mount(containerId: string, options: { volatile: boolean; bare?: boolean }): Promise<string> {
    return await this.#locks.run(containerId, () => {
      const parent = this.#parent(containerId);
      const target = this.#path(containerId, 'merged');
      if (this.#isMounted(containerId)) return target;
      this.#makeDirectories(containerId);
      this.#clearVolatileMark(containerId);
      if (options.bare !== true) this.#layers.ensureInitLayer(parent);
      this.#sys.mounts.mountOverlay({
        lowerDirs: options.bare === true ? this.#layers.lowerDirs(parent) : this.#layers.containerLowerDirs(parent),
        upperDir: this.upperDir(containerId),
        workDir: this.#path(containerId, 'work'),
        target,
        volatile: options.volatile,
        readOnly: false,
        options: OVERLAY_OPTIONS,
      });
      failpoint('container-layer-mounted');
      return target;
    });
  }

  async unmount(containerId: string): Promise<void> {
    await this.#locks.run(containerId, () => this.#unmount(containerId));
  }

  async remove(containerId: string): Promise<void> {
    const orphaned = await this.#locks.run(containerId, async () => {
      await this.#unmount(containerId);
      failpoint('container-layer-unmounted');
      const row = this.#find.get(containerId);
      this.#db.relaxed(() => this.#delete.run(containerId));
      failpoint('container-layer-unrecorded');
      await removeTree(this.#path(containerId));
      const parent = row?.['parent_chain_id'] ?? null;
      return parent !== null && this.#isImageLayer.get(parent) === undefined;
    });
    if (orphaned) await this.#released();
  }

  async usageBytes(containerId: string): Promise<number> {
    const upper = this.upperDir(containerId);
    const seen = new Set<bigint>();
    let bytes = 0n;
    let entries = 0;
    for (const { stat } of this.#sys.files.walkTree(upper)) {
      entries += 1;
      if (entries % WALK_BATCH === 0) await setImmediate();
      if (stat.isDirectory() || (stat.nlink > 1n && seen.has(stat.ino))) continue;
      if (stat.nlink > 1n) seen.add(stat.ino);
      bytes += stat.size;
    }
    return Number(bytes);
  }

  upperDir(containerId: string): string {
    return this.#path(containerId, 'upper');
  }

  graphDriverData(containerId: string): Record<string, string> {
    return {
      LowerDir: this.#layers.containerLowerDirs(this.#parent(containerId)).join(':'),
      MergedDir: this.#path(containerId, 'merged'),
      UpperDir: this.upperDir(containerId),
      WorkDir: this.#path(containerId, 'work'),
    };
  }

  list(): string[] {
    return this.#list.all().map((row) => String(row['container_id']));
  }

  listOf(containerId: string): string[] {
    // '/' is the character after '.'.
    return this.#listRange.all(`${containerId}.`, `${containerId}/`).map((row) => String(row['container_id']));
  }

  /** After a start: unmounts and removes folders that no row owns. */
  async recover(): Promise<void> {
    for (const name of await this.leftovers()) {
      await this.#unmount(name);
      await removeTree(this.#path(name));
    }
  }

  /** Folders without a row. */
  async leftovers(): Promise<string[]> {
    const known = new Set(this.list());
    return (await readdir(this.#directory)).filter((name) => !known.has(name));
  }

  /** Rows whose folders are gone. */
  missing(): string[] {
    return this.list().filter((containerId) => !existsSync(this.upperDir(containerId)));
  }

  #path(containerId: string, name = ''): string {
    return join(this.#directory, containerId, name);
  }

  #parent(containerId: string): ChainId | undefined {
    const row = this.#find.get(containerId);
    if (!row) {
      throw new EngineError('notFound', 'CONTAINER_LAYER_NOT_FOUND', `container ${containerId} has no writable layer`);
    }
    const parent = row['parent_chain_id'] ?? null;
    return parent === null ? undefined : (String(parent) as ChainId);
  }

  /** The merged root takes its mode from the upper directory: 0755, whatever our umask. */
  #makeDirectories(containerId: string): void {
    if (existsSync(this.#path(containerId, 'merged'))) return;
    mkdirSync(this.#path(containerId), { recursive: true, mode: 0o700 });
    mkdirSync(this.upperDir(containerId), { recursive: true });
    chmodSync(this.upperDir(containerId), 0o755);
    mkdirSync(this.#path(containerId, 'work'), { recursive: true });
    mkdirSync(this.#path(containerId, 'merged'), { recursive: true });
  }

  /** overlayfs marks a volatile upper layer and refuses it from then on, since it cannot know that no crash came between. */
  #clearVolatileMark(containerId: string): void {
    rmSync(this.#path(containerId, 'work/work/incompat/volatile'), { recursive: true, force: true });
  }

  #isMounted(containerId: string): boolean {
    try {
      return lstatSync(this.#path(containerId, 'merged')).dev !== lstatSync(this.#path(containerId)).dev;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async #unmount(containerId: string): Promise<void> {
    while (this.#isMounted(containerId)) await this.#sys.mounts.unmountAsync(this.#path(containerId, 'merged'));
  }
}
