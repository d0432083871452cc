import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { chmod, chown, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packTree, unpack } from '#archive';
import { KeyedMutex, randomHex } from '#lib';
import type { RunMount } from '../dockerfile/index.ts';

const DEFAULT_MODE = 0o755;

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
  readonly #locked = new KeyedMutex();
  /** Private folders in use. */
  readonly #taken = new Set<string>();

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** @param seed - folder whose content a new one begins with. */
  async open(mount: RunMount, seed: string | undefined, signal: AbortSignal): Promise<CacheFolder> {
    const name = createHash('sha256').update(mount.id).digest('hex');
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

  /** Removes all folders that no step uses. */
  async clear(): Promise<void> {
    for (const name of readdirSync(this.#root)) {
      await this.#locked.run(name, () => rm(join(this.#root, name), { recursive: true, force: true }));
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
