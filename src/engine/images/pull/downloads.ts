import { Semaphore } from '#lib';
import type { RemoteRepository } from '#registry';
import type { Digest } from '#spec';
import type { Store, UnpackedLayer } from '#store';
import type { BlobEntry } from './manifest.ts';
import { Transfer, type TransferWatcher } from './transfer.ts';

/** A pull's part in a transfer. Disposing gives it up; the transfer ends when nobody is left. */
export interface LayerHandle extends AsyncDisposable {
  /** Resolves when the blob is in the store. */
  stored(): Promise<void>;
  /** The unpacked tree, once stored; undefined when another one took it. */
  takeUnpacked(): Promise<UnpackedLayer> | undefined;
}

/** What a pull wants. Its digest must be pinned by the pull's lease. */
export interface WantedLayer {
  repository: RemoteRepository;
  blob: BlobEntry;
  watcher: TransferWatcher;
}

interface Shared {
  transfer: Transfer;
  repository: RemoteRepository;
  users: number;
}

/** All layers on their way, for all pulls: a blob that several want comes once. */
export class Downloads {
  readonly #store: Store;
  readonly #slots: Semaphore;
  readonly #byDigest: Map<Digest, Shared>;

  constructor(store: Store, maxConcurrent: number) {
    this.#store = store;
    this.#slots = new Semaphore(maxConcurrent);
    this.#byDigest = new Map();
  }

  join(wanted: WantedLayer): LayerHandle {
    let shared = this.#enter(wanted);
    const stored = async (): Promise<void> => {
      try {
        await shared.transfer.stored;
      } catch (error) {
        if (shared.repository === wanted.repository) throw error;
        // Another pull's repository failed, perhaps for want of rights: ours may do better.
        await this.#leave(wanted, shared);
        shared = this.#enter(wanted);
        await stored();
      }
    };
    return {
      stored,
      takeUnpacked: () => shared.transfer.takeUnpacked(),
      [Symbol.asyncDispose]: () => this.#leave(wanted, shared),
    };
  }

  #enter({ repository, blob, watcher }: WantedLayer): Shared {
    const shared = this.#byDigest.get(blob.digest) ?? this.#begin(repository, blob);
    shared.users += 1;
    shared.transfer.watch(watcher);
    return shared;
  }

  #begin(repository: RemoteRepository, blob: BlobEntry): Shared {
    const transfer = new Transfer({ store: this.#store, slots: this.#slots }, repository, blob);
    const shared: Shared = { transfer, repository, users: 0 };
    this.#byDigest.set(blob.digest, shared);
    // Nobody joins what has failed.
    transfer.stored.catch(() => this.#forget(blob.digest, shared));
    return shared;
  }

  async #leave({ blob, watcher }: WantedLayer, shared: Shared): Promise<void> {
    shared.transfer.unwatch(watcher);
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#forget(blob.digest, shared);
    await shared.transfer.close();
  }

  #forget(digest: Digest, shared: Shared): void {
    if (this.#byDigest.get(digest) === shared) this.#byDigest.delete(digest);
  }
}
