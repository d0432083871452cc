import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs';
import { chmod, chown, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { packTree, unpack } from '#archive';
import { KeyedMutex, randomHex } from '#lib';
import type { Sys } from '#sys';
import type { CacheEntry } from '../cache/cache-entries.ts';
import type { RunMount } from '../dockerfile/index.ts';

const DEFAULT_MODE = 0o755;
const ID_LENGTH = 25;
const SHOWN_LENGTH = 12;
/** Start of the names of folders that are going. */
const REMOVED = 'removed-';
/** Entries looked at between two turns of the event loop. */
const WALK_BATCH = 512;

/** A folder of a cache mount, as long as a step uses it. */
export interface CacheFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * The folders behind `RUN --mount=type=cache`, kept between builds.
 *
 * ```
 * <root>/<digest of the id>/<n>    n counts the copies that `sharing=private` needed
 * ```
 */
export class CacheMounts {
  readonly #root: string;
  readonly #sys: Pick<Sys, 'files'>;
  readonly #locked = new KeyedMutex();
  /** Private folders in use. */
  readonly #taken = new Set<string>();
  /** How many steps use the folders of a name. */
  readonly #users = new Map<string, number>();

  constructor(root: string, sys: Pick<Sys, 'files'>) {
    this.#root = root;
    this.#sys = sys;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** @param seed - folder whose content a new one begins with. */
  async open(mount: RunMount, seed: string | undefined, signal: AbortSignal): Promise<CacheFolder> {
    const name = createHash('sha256').update(mount.id).digest('hex');
    await using open = new AsyncDisposableStack();
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    open.defer(() => this.#leave(name));
    const folder = open.use(await this.#openNamed(name, mount, seed, signal));
    // When it was of use for the last time.
    const now = new Date();
    utimesSync(join(this.#root, name), now, now);
    const held = open.move();
    return { path: folder.path, [Symbol.asyncDispose]: () => held.disposeAsync() };
  }

  /** The folders as entries of the cache, each with all that `sharing=private` made of it. */
  async list(): Promise<CacheEntry[]> {
    const entries: CacheEntry[] = [];
    for (const name of readdirSync(this.#root)) {
      const stat = statSync(join(this.#root, name), { throwIfNoEntry: false });
      if (!stat) continue;
      entries.push({
        key: name,
        ID: name.slice(0, ID_LENGTH),
        Type: 'exec.cachemount',
        Description: `cached mount ${name.slice(0, SHOWN_LENGTH)}`,
        InUse: this.#users.has(name),
        Shared: false,
        Size: await this.#sizeBytes(join(this.#root, name)),
        CreatedAt: stat.birthtime.toISOString(),
        LastUsedAt: stat.mtime.toISOString(),
        UsageCount: 1,
      });
    }
    return entries;
  }

  /** Removes a folder of {@link list} by its key; false when a step uses it. */
  async remove(name: string): Promise<boolean> {
    if (this.#users.has(name)) return false;
    // Out of the way at once: a step that wants it now makes a new one.
    const doomed = join(this.#root, `${REMOVED}${randomHex(8)}`);
    renameSync(join(this.#root, name), doomed);
    await rm(doomed, { recursive: true, force: true });
    return true;
  }

  /** Removes what a killed daemon was about to. */
  async recover(): Promise<void> {
    for (const name of readdirSync(this.#root)) {
      if (name.startsWith(REMOVED)) await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  #leave(name: string): void {
    const left = (this.#users.get(name) ?? 1) - 1;
    if (left === 0) this.#users.delete(name);
    else this.#users.set(name, left);
  }

  async #sizeBytes(path: string): Promise<number> {
    let bytes = 0;
    let entries = 0;
    for (const { stat } of this.#sys.files.walkTree(path)) {
      entries += 1;
      if (entries % WALK_BATCH === 0) await setImmediate();
      if (!stat.isDirectory()) bytes += Number(stat.size);
    }
    return bytes;
  }

  async #openNamed(name: string, mount: RunMount, seed: string | undefined, signal: AbortSignal): Promise<CacheFolder> {
    if (mount.sharing === 'shared') {
      return { path: await this.#ensure(join(name, '0'), mount, seed, signal), [Symbol.asyncDispose]: noWork };
    }
    if (mount.sharing === 'private') return await this.#openPrivate(name, mount, seed, signal);
    const release = await this.#lock(name, signal);
    try {
      return { path: await this.#ensure(join(name, '0'), mount, seed, signal), [Symbol.asyncDispose]: release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #openPrivate(
    name: string,
    mount: RunMount,
    seed: string | undefined,
    signal: AbortSignal,
  ): Promise<CacheFolder> {
    let count = 0;
    while (this.#taken.has(join(name, String(count)))) count += 1;
    const folder = join(name, String(count));
    this.#taken.add(folder);
    const release = (): Promise<void> => {
      this.#taken.delete(folder);
      return Promise.resolve();
    };
    try {
      return { path: await this.#ensure(folder, mount, seed, signal), [Symbol.asyncDispose]: release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Made beside its place and renamed, so that it is there whole or not at all. */
  async #ensure(folder: string, mount: RunMount, seed: string | undefined, signal: AbortSignal): Promise<string> {
    const path = join(this.#root, folder);
    if (existsSync(path)) return path;
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    const partial = `${path}.${randomHex(4)}`;
    mkdirSync(partial);
    await chmod(partial, mount.mode ?? DEFAULT_MODE);
    await chown(partial, mount.uid ?? 0, mount.gid ?? 0);
    if (seed !== undefined) {
      const stream = packTree({ root: seed, mode: 'plain', signal });
      await unpack({ source: { stream }, root: partial, whiteouts: 'literal', signal });
    }
    if (existsSync(path)) await rm(partial, { recursive: true, force: true });
    else renameSync(partial, path);
    return path;
  }

  async #lock(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
    const held = Promise.withResolvers<void>();
    const got = Promise.withResolvers<void>();
    const whole = this.#locked.run(
      name,
      async () => {
        got.resolve();
        await held.promise;
      },
      signal,
    );
    whole.catch((error: unknown) => got.reject(error));
    await got.promise;
    return async () => {
      held.resolve();
      await whole;
    };
  }
}

function noWork(): Promise<void> {
  return Promise.resolve();
}
