import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, renameSync, statSync, type ReadStream } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { failpoint, isErrno, randomHex } from '#lib';
import { isDigest, type Digest } from '#spec';
import { renameDurably } from '../files/durable.ts';
import { BlobWriter, type IngestedFile } from './blob-writer.ts';

const READ_BYTES = 1024 * 1024;

function missingBlob(digest: Digest, cause?: unknown): EngineError {
  return new EngineError('dataLoss', 'BLOB_MISSING', `blob ${digest} is missing from the store`, { cause });
}

/**
 * Content-addressed files.
 *
 * ```
 * blobs/sha256/<hex>   whole, synced, verified; never changed
 * ingest/<random>      being written; emptied at start
 * ```
 *
 * The order of a blob's life: `createWriter`, `write`…, `finish`, pin its digest by a lease, `commit`, refer to it from
 * an image in the database, drop the lease. What nobody refers to or pins, the collector removes.
 */
export class BlobStore {
  readonly #directory: string;
  readonly #ingest: string;

  constructor(root: string) {
    this.#directory = join(root, 'blobs', 'sha256');
    this.#ingest = join(root, 'ingest');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingest, { recursive: true, mode: 0o700 });
  }

  /** A name in the ingest folder that nobody has. */
  ingestPath(kind: string): string {
    return join(this.#ingest, `${kind}-${randomHex(8)}`);
  }

  async createWriter(): Promise<BlobWriter> {
    return await BlobWriter.create(this.ingestPath('blob'));
  }

  path(digest: Digest): string {
    return join(this.#directory, digest.slice('sha256:'.length));
  }

  has(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  /** @throws {@link EngineError} dataLoss when it is not there. */
  sizeBytes(digest: Digest): number {
    try {
      return statSync(this.path(digest)).size;
    } catch (error) {
      throw isErrno(error, 'ENOENT') ? missingBlob(digest, error) : error;
    }
  }

  /** Brings an ingested file's bytes to the disk ahead of `commit`, beside other work. */
  async sync(file: IngestedFile): Promise<IngestedFile> {
    await using handle = await open(file.path, 'r');
    await handle.datasync();
    return { ...file, synced: true };
  }

  /** Removes an ingested file that is not wanted; none of it if it became a blob. */
  async discard(file: IngestedFile): Promise<void> {
    await rm(file.path, { force: true });
  }

  /**
   * Makes an ingested file a blob: synced, verified, renamed. Its digest must be pinned already. If the blob is there
   * already the file is removed.
   *
   * @throws {@link EngineError} invalidArgument when size or digest are not the expected ones; the file is gone then.
   */
  async commit(file: IngestedFile, expected: { digest?: Digest; sizeBytes?: number } = {}): Promise<Digest> {
    const isWrong =
      (expected.digest !== undefined && expected.digest !== file.digest) ||
      (expected.sizeBytes !== undefined && expected.sizeBytes !== file.sizeBytes);
    if (isWrong || this.has(file.digest)) await rm(file.path, { force: true });
    if (isWrong) {
      throw new EngineError(
        'invalidArgument',
        'BLOB_MISMATCH',
        `content does not match its digest: expected ${expected.digest ?? 'any'} (${expected.sizeBytes ?? 'any'} bytes), got ${file.digest} (${file.sizeBytes} bytes)`,
      );
    }
    if (this.has(file.digest)) return file.digest;
    if (!file.synced) await this.sync(file);
    failpoint('blob-before-rename');
    await renameDurably(file.path, this.path(file.digest));
    failpoint('blob-after-rename');
    return file.digest;
  }

  /** Stores bytes that are in memory. The digest must be pinned by `pin`, which is called before anything is written. */
  async put(content: Uint8Array, pin: (digest: Digest) => void): Promise<Digest> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest;
    pin(digest);
    if (this.has(digest)) return digest;
    await using writer = await this.createWriter();
    await writer.write(content);
    return await this.commit(await writer.finish());
  }

  /** @throws {@link EngineError} dataLoss when it is not there; invalidArgument when longer than `maxBytes`. */
  async read(digest: Digest, maxBytes: number): Promise<Buffer> {
    if (this.sizeBytes(digest) > maxBytes) {
      throw new EngineError('invalidArgument', 'BLOB_TOO_LARGE', `blob ${digest} is larger than ${maxBytes} bytes`);
    }
    return await readFile(this.path(digest));
  }

  /** The caller owns the stream. */
  openRead(digest: Digest, offsetBytes = 0): ReadStream {
    return createReadStream(this.path(digest), { highWaterMark: READ_BYTES, start: offsetBytes });
  }

  async list(): Promise<Digest[]> {
    const names = await readdir(this.#directory);
    return names.map((name) => `sha256:${name}`).filter((text) => isDigest(text));
  }

  /** Whether the bytes still have their digest. */
  async verify(digest: Digest): Promise<boolean> {
    const hash = createHash('sha256');
    for await (const chunk of this.openRead(digest)) hash.update(chunk as Buffer);
    return `sha256:${hash.digest('hex')}` === digest;
  }

  /** Takes a blob out of the store at once (synchronously); the answer frees its bytes. */
  detach(digest: Digest): (() => Promise<void>) | undefined {
    const doomed = this.ingestPath('removed');
    try {
      renameSync(this.path(digest), doomed);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
    return () => rm(doomed, { force: true });
  }

  /** Names in the ingest folder. */
  async listIngest(): Promise<string[]> {
    return await readdir(this.#ingest);
  }

  ingestEntryPath(name: string): string {
    return join(this.#ingest, name);
  }

  /** Bytes of all blobs. */
  async totalBytes(): Promise<number> {
    const stats = await Promise.all((await this.list()).map((digest) => stat(this.path(digest))));
    return stats.reduce((sum, each) => sum + each.size, 0);
  }
}
