import { createReadStream, existsSync, type ReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { decompress, detectCompression, readTar, type Compression } from '#archive';
import type { BlobWriter, IngestedFile, Store, UnpackedLayer } from '#store';
import { invalidImageArchive } from '../errors.ts';
import { MAX_JSON_BYTES } from '../json.ts';

/** Far beyond an archive of every image anyone has; each entry costs a file while loading. */
const MAX_ENTRIES = 100_000;
const MAX_LINK_DEPTH = 16;
/** No tar, compressed or not, is shorter. */
const MIN_LAYER_BYTES = 20;

/** A file of the archive, in the ingest folder. */
export interface SpooledFile {
  readonly file: IngestedFile;
  readonly compression: Compression;
  /** The file once its bytes are on the disk, if that was begun; else as it is. */
  settled(): Promise<IngestedFile>;
  /** The unpacking that began when it was written; undefined if it does not look like a layer or is known already. */
  takeUnpacked(): Promise<UnpackedLayer> | undefined;
  /** It is kept as it is: an unpacking that was begun stops, and whoever wants the tree after all unpacks anew. */
  stayPacked(): void;
}

export interface SpoolProgress {
  /** Called often while a file is written. */
  (name: string, currentBytes: number, totalBytes: number): void;
}

/** Looks like JSON, judged by the first byte that is not blank. */
function looksLikeJson(head: Buffer): boolean {
  return /^\s*[{[]/.test(head.toString('latin1'));
}

/** A name inside the archive without `./` and doubled slashes. @throws invalidArgument when it leads out. */
function normalName(name: string): string {
  const normal = posix.normalize(name).replace(/\/+$/, '');
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) {
    throw invalidImageArchive(`invalid image archive: entry ${JSON.stringify(name)} points outside of it`);
  }
  return normal;
}

/**
 * An image archive read once from a stream: every file hashed while it is written to the ingest folder, and what looks
 * like a layer unpacked meanwhile. Links are only looked up among the archive's own names, never made. Disposing removes
 * everything that nobody took over.
 */
export class Spool implements AsyncDisposable {
  readonly #store: Store;
  readonly #signal: AbortSignal;
  readonly #files: Map<string, SpooledFile>;
  readonly #links: Map<string, string>;
  readonly #written: IngestedFile[];
  readonly #unpacking: Promise<UnpackedLayer>[];
  readonly #syncing: Promise<IngestedFile>[];

  constructor(store: Store, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
    this.#files = new Map();
    this.#links = new Map();
    this.#written = [];
    this.#unpacking = [];
    this.#syncing = [];
  }

  /** Reads the whole archive, compressed or not. @throws invalidArgument when it is malformed. */
  async readFrom(body: AsyncIterable<Uint8Array>, progress: SpoolProgress): Promise<void> {
    const options = { limits: { maxEntries: MAX_ENTRIES } };
    for await (const entry of readTar(decompress(body, { signal: this.#signal }), options)) {
      const { type, name, linkName, sizeBytes } = entry.header;
      const path = normalName(name);
      switch (type) {
        case 'file':
          this.#place(path, await this.#writeFile(entry.body, (current) => progress(path, current, sizeBytes)));
          break;
        case 'symlink':
          this.#claim(path);
          this.#links.set(path, posix.normalize(posix.join(posix.dirname(path), linkName)));
          break;
        case 'hardlink':
          this.#claim(path);
          this.#links.set(path, normalName(linkName));
          break;
        default:
          break;
      }
    }
  }

  /** The file of this name, links followed. */
  find(name: string): SpooledFile | undefined {
    let path = posix.normalize(name);
    for (let depth = 0; depth < MAX_LINK_DEPTH; depth++) {
      const file = this.#files.get(path);
      if (file) return file;
      const target = this.#links.get(path);
      if (target === undefined) return undefined;
      path = target;
    }
    return undefined;
  }

  /** @throws invalidArgument when the archive does not have it. */
  get(name: string): SpooledFile {
    const file = this.find(name);
    if (!file) throw invalidImageArchive(`invalid image archive: ${name} is missing`);
    return file;
  }

  names(): string[] {
    return [...this.#files.keys(), ...this.#links.keys()];
  }

  /** A small file's bytes. @throws invalidArgument when it is missing or too large. */
  async readSmall(name: string): Promise<Buffer> {
    const { file } = this.get(name);
    if (file.sizeBytes > MAX_JSON_BYTES) {
      throw invalidImageArchive(`invalid image archive: ${name} is larger than ${MAX_JSON_BYTES} bytes`);
    }
    await using handle = await open(this.#whereabouts(file), 'r');
    return await handle.readFile();
  }

  /** The caller owns the stream. @throws invalidArgument when the archive does not have it. */
  openRead(name: string): ReadStream {
    return createReadStream(this.#whereabouts(this.get(name).file));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const settled = await Promise.allSettled(this.#unpacking);
    await Promise.allSettled(this.#syncing);
    const trees = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all(trees.map((tree) => tree[Symbol.asyncDispose]()));
    for (const file of this.#written) await rm(file.path, { force: true });
  }

  async #writeFile(body: AsyncIterable<Buffer>, progress: (currentBytes: number) => void): Promise<SpooledFile> {
    await using writer: BlobWriter = await this.#store.blobs.createWriter();
    let head: Buffer = Buffer.alloc(0);
    let current = 0;
    for await (const chunk of body) {
      if (head.length < MIN_LAYER_BYTES) head = Buffer.concat([head, chunk.subarray(0, MIN_LAYER_BYTES)]);
      await writer.write(chunk);
      current += chunk.length;
      progress(current);
    }
    this.#signal.throwIfAborted();
    return this.#spooled(await writer.finish(), head);
  }

  #spooled(file: IngestedFile, head: Buffer): SpooledFile {
    this.#written.push(file);
    const isLayer =
      file.sizeBytes >= MIN_LAYER_BYTES && !looksLikeJson(head) && !this.#store.layers.isKnown(file.digest);
    const stop = new AbortController();
    let unpacking = isLayer ? this.#startUnpacking(file, stop.signal) : undefined;
    const syncing = isLayer ? this.#startSyncing(file) : Promise.resolve(file);
    return {
      file,
      compression: detectCompression(head),
      settled: () => syncing,
      takeUnpacked: () => {
        const taken = unpacking;
        unpacking = undefined;
        return taken;
      },
      stayPacked: () => {
        unpacking = undefined;
        stop.abort();
      },
    };
  }

  #startUnpacking(file: IngestedFile, stop: AbortSignal): Promise<UnpackedLayer> {
    const unpacking = this.#store.layers.unpack(file.path, AbortSignal.any([this.#signal, stop]));
    // Whoever takes the tree sees the failure; if nobody does, it was no layer.
    unpacking.catch(() => undefined);
    this.#unpacking.push(unpacking);
    return unpacking;
  }

  /** So that there is less to wait for at the end. */
  #startSyncing(file: IngestedFile): Promise<IngestedFile> {
    const syncing = this.#store.blobs.sync(file);
    syncing.catch(() => undefined);
    this.#syncing.push(syncing);
    return syncing;
  }

  /** A file may have become a blob, when an image added before has the same one. */
  #whereabouts(file: IngestedFile): string {
    return existsSync(file.path) ? file.path : this.#store.blobs.path(file.digest);
  }

  #place(path: string, spooled: SpooledFile): void {
    if (this.#files.get(path)?.file.digest === spooled.file.digest) return;
    this.#claim(path);
    this.#files.set(path, spooled);
  }

  /** A name means one content, so that nobody reads one file and trusts the other. */
  #claim(path: string): void {
    if (this.#files.has(path) || this.#links.has(path)) {
      throw invalidImageArchive(`invalid image archive: ${path} is there twice`);
    }
  }
}
