import type { Readable } from 'node:stream';
import type { RemoteRepository } from '#registry';
import { failpoint, type Semaphore } from '#lib';
import type { Store, UnpackedLayer } from '#store';
import { layerVerificationFailed } from './errors.ts';
import { GrowingFile } from './growing-file.ts';
import type { BlobEntry } from './manifest.ts';

/** What happens to a layer on its way here. */
export type TransferEvent =
  | { kind: 'waiting' }
  | { kind: 'downloading'; currentBytes: number }
  | { kind: 'retrying'; delayMs: number }
  | { kind: 'verifying' }
  | { kind: 'downloaded' }
  | { kind: 'unpacking'; currentBytes: number };

export type TransferWatcher = (event: TransferEvent) => void;

export interface TransferParts {
  store: Store;
  /** Slots for downloads, shared by all pulls. */
  slots: Semaphore;
}

/**
 * One layer blob on its way into the store, for everybody who wants it: downloaded once, unpacked while it comes. It goes
 * on as long as somebody waits for it; what it has put into the store is pinned by those.
 */
export class Transfer {
  readonly #parts: TransferParts;
  readonly #blob: BlobEntry;
  readonly #stop: AbortController;
  readonly #watchers: Set<TransferWatcher>;
  /** The blob is in the store; rejects when that failed. */
  readonly stored: Promise<void>;
  #unpacking: Promise<UnpackedLayer> | undefined;
  #taken: boolean;
  #last: TransferEvent | undefined;
  #isDownloaded: boolean;

  constructor(parts: TransferParts, repository: RemoteRepository, blob: BlobEntry) {
    this.#parts = parts;
    this.#blob = blob;
    this.#stop = new AbortController();
    this.#watchers = new Set();
    this.#unpacking = undefined;
    this.#taken = false;
    this.#last = undefined;
    this.#isDownloaded = false;
    this.stored = parts.store.blobs.has(blob.digest) ? this.#reuse() : this.#fetch(repository);
    this.stored.catch(() => undefined);
  }

  /** Tells a newcomer where things are, and from then on what happens. */
  watch(watcher: TransferWatcher): void {
    this.#watchers.add(watcher);
    if (this.#isDownloaded) watcher({ kind: 'downloaded' });
    else if (this.#last) watcher(this.#last);
  }

  unwatch(watcher: TransferWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** The layer's unpacked tree, for the first who asks once the blob is stored. */
  takeUnpacked(): Promise<UnpackedLayer> | undefined {
    if (this.#taken) return undefined;
    this.#taken = true;
    return this.#unpacking;
  }

  /** Ends it, finished or not, and removes the tree that nobody made a layer of. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([this.stored]);
    const [tree] = await Promise.allSettled([this.#unpacking]);
    if (tree.status === 'fulfilled') await tree.value?.[Symbol.asyncDispose]();
  }

  async #reuse(): Promise<void> {
    const path = this.#parts.store.blobs.path(this.#blob.digest);
    this.#startUnpacking(() => ({ path }));
    await Promise.resolve();
    this.#downloaded();
  }

  async #fetch(repository: RemoteRepository): Promise<void> {
    const { blobs } = this.#parts.store;
    const { signal } = this.#stop;
    if (this.#parts.slots.isFull) this.#tell({ kind: 'waiting' });
    const file = await this.#parts.slots.run(async () => await this.#download(repository), signal);
    try {
      failpoint('pull-downloaded');
      // What is unpacked meanwhile is read through a descriptor of its own: the file may move.
      await blobs.commit(await blobs.sync(file));
      failpoint('pull-blob-stored');
    } catch (error) {
      await blobs.discard(file);
      throw error;
    }
  }

  async #download(repository: RemoteRepository): ReturnType<Store['blobs']['sync']> {
    const { store } = this.#parts;
    await using writer = await store.blobs.createWriter();
    const growing = new GrowingFile(writer.path);
    try {
      this.#startUnpacking(() => this.#source(growing));
      const { signal } = this.#stop;
      const onRetry = (_attempt: number, delayMs: number): void => this.#tell({ kind: 'retrying', delayMs });
      let currentBytes = 0;
      for await (const chunk of repository.readBlob(this.#blob, { signal, onRetry })) {
        await writer.write(chunk);
        growing.grown(writer);
        currentBytes += chunk.length;
        this.#tell({ kind: 'downloading', currentBytes });
        failpoint('pull-downloading');
      }
      const file = await writer.finish();
      this.#tell({ kind: 'verifying' });
      if (file.digest !== this.#blob.digest || file.sizeBytes !== this.#blob.sizeBytes) {
        await store.blobs.discard(file);
        throw layerVerificationFailed(this.#blob.digest);
      }
      growing.ended(file.sizeBytes);
      this.#downloaded();
      return file;
    } catch (error) {
      growing.failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** Asked when it is the layer's turn: by then its blob may be in place. */
  #source(growing: GrowingFile): { path: string } | { stream: Readable } {
    const { blobs } = this.#parts.store;
    const { digest } = this.#blob;
    if (blobs.has(digest)) return { path: blobs.path(digest) };
    const tell = (currentBytes: number): void => this.#tell({ kind: 'unpacking', currentBytes });
    return { stream: growing.openRead(tell) };
  }

  #startUnpacking(source: Parameters<Store['layers']['unpack']>[0]): void {
    // A layer known by now is there already, most likely where it is wanted.
    if (this.#parts.store.layers.isKnown(this.#blob.digest)) return;
    this.#unpacking = this.#parts.store.layers.unpack(source, this.#stop.signal);
    // Whoever takes the tree sees the failure.
    this.#unpacking.catch(() => undefined);
  }

  #downloaded(): void {
    this.#isDownloaded = true;
    this.#tell({ kind: 'downloaded' });
  }

  #tell(event: TransferEvent): void {
    this.#last = event;
    for (const watcher of this.#watchers) watcher(event);
  }
}
