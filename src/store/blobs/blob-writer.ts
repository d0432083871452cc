import { createHash, type Hash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Digest } from '#spec';

/** Writes go to the disk in pieces of about this size, while the next piece is being hashed. */
const FLUSH_BYTES = 1024 * 1024;

/** A finished file in the ingest folder that is not (yet) a blob. */
export interface IngestedFile {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Its bytes are on the disk already. */
  readonly synced: boolean;
}

/**
 * Writes one file of the ingest folder, hashing on the way. `write` as often as needed, then `finish`.
 * One call at a time. Disposing before `finish` removes the file.
 */
export class BlobWriter implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #hash: Hash;
  #pending: Uint8Array[];
  #pendingBytes: number;
  #flushing: Promise<void>;
  #sizeBytes: number;
  #open: boolean;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
    this.#hash = createHash('sha256');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushing = Promise.resolve();
    this.#sizeBytes = 0;
    this.#open = true;
  }

  static async create(path: string): Promise<BlobWriter> {
    return new BlobWriter(path, await open(path, 'wx', 0o600));
  }

  /** Takes the bytes over; resolves when there is room for more. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    if (this.#pendingBytes >= FLUSH_BYTES) await this.#flush();
  }

  /** All is written (not synced). The file stays where it is, for `BlobStore.commit` or the caller's own clean-up. */
  async finish(): Promise<IngestedFile> {
    await this.#flush();
    await this.#flushing;
    this.#open = false;
    await this.#handle.close();
    return {
      path: this.path,
      digest: `sha256:${this.#hash.digest('hex')}` as Digest,
      sizeBytes: this.#sizeBytes,
      synced: false,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#flushing.catch(() => undefined);
    await this.#handle.close();
    await rm(this.path, { force: true });
  }

  async #flush(): Promise<void> {
    await this.#flushing;
    const parts = this.#pending;
    if (parts.length === 0) return;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushing = this.#writeAll(parts);
    // A failure is thrown by the next flush or by `finish`.
    this.#flushing.catch(() => undefined);
  }

  async #writeAll(parts: Uint8Array[]): Promise<void> {
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    let at = 0;
    while (at < bytes.byteLength) at += (await this.#handle.write(bytes, at)).bytesWritten;
  }
}
