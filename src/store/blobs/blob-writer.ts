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

/** Where a suspended writer stands. The hash is of those bytes; whoever resumes goes on with it. */
export interface WrittenSoFar {
  readonly sizeBytes: number;
  readonly hash: Hash;
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
  #flushedBytes: number;
  #open: boolean;

  private constructor(path: string, handle: FileHandle, written: WrittenSoFar) {
    this.path = path;
    this.#handle = handle;
    this.#hash = written.hash;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushing = Promise.resolve();
    this.#sizeBytes = written.sizeBytes;
    this.#flushedBytes = written.sizeBytes;
    this.#open = true;
  }

  /** How much of the file can be read already. */
  get flushedBytes(): number {
    return this.#flushedBytes;
  }

  static async create(path: string): Promise<BlobWriter> {
    return new BlobWriter(path, await open(path, 'wx', 0o600), { sizeBytes: 0, hash: createHash('sha256') });
  }

  /** Goes on with a file that `suspend` left; what stands behind those bytes is cut off. A missing file is made. */
  static async resume(path: string, written: WrittenSoFar): Promise<BlobWriter> {
    const handle = await open(path, 'a', 0o600);
    try {
      await handle.truncate(written.sizeBytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new BlobWriter(path, handle, written);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
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

  /** All is written; the file stays for `resume`, or for the caller's own clean-up. */
  async suspend(): Promise<WrittenSoFar> {
    await this.#flush();
    await this.#flushing;
    this.#open = false;
    await this.#handle.close();
    return { sizeBytes: this.#sizeBytes, hash: this.#hash };
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
    const total = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const { bytesWritten } = await this.#handle.writev(parts);
    const rest = bytesWritten === total ? Buffer.alloc(0) : Buffer.concat(parts).subarray(bytesWritten);
    for (let at = 0; at < rest.byteLength;) at += (await this.#handle.write(rest, at)).bytesWritten;
    this.#flushedBytes += total;
  }
}
