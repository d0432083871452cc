import { createHash, randomUUID, type Hash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type EngineError, isKind } from '#errors';
import { failpoint, isErrno, KeyedMutex } from '#lib';
import { BlobWriter, type IngestedFile } from '#store';
import { registryError } from '../errors.ts';
import type { UploadRecords } from './upload-records.ts';

/** Hashes kept between the requests of an upload; of uploads beyond, the file is read again at the end. */
const keptHashes = 1000;
const breakNoticedMs = 2000;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface UploadsOptions {
  /** More open uploads than this are refused. */
  readonly maxOpen: number;
}

/** What is written in one request. */
export interface UploadPart {
  readonly body: AsyncIterable<Uint8Array>;
  /** Where the client says it goes, both ends counted in. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
  /** Called before each piece is written with the length then; throws to refuse it. */
  readonly onGrow: (sizeBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Uploads under way: `create`, `append` as often as wanted, `finish` or `cancel`.
 *
 * ```
 * uploads/<id>    what has arrived; its length is the upload's offset, over restarts too
 * ```
 *
 * The running hash lives in memory. A hash that is lost (restart, too many uploads) is made again from the file when the
 * next part comes or the upload ends. One request at a time works on an upload, others wait.
 */
export class Uploads {
  readonly #directory: string;
  readonly #records: UploadRecords;
  readonly #options: UploadsOptions;
  readonly #locks: KeyedMutex;
  readonly #hashes: Map<string, { hash: Hash; sizeBytes: number }>;

  constructor(root: string, records: UploadRecords, options: UploadsOptions) {
    this.#directory = join(root, 'uploads');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#records = records;
    this.#options = options;
    this.#locks = new KeyedMutex();
    this.#hashes = new Map();
  }

  /** @throws {@link EngineError} TOOMANYREQUESTS when too many are open. */
  create(repository: string): string {
    if (this.#records.count() >= this.#options.maxOpen) {
      throw registryError('TOOMANYREQUESTS', {
        message: `too many open uploads (${this.#options.maxOpen}); finish or cancel some, or wait until they expire`,
        headers: { 'Retry-After': '60' },
      });
    }
    const id = randomUUID();
    this.#records.insert(id, repository);
    return id;
  }

  /**
   * How much has arrived. Of a part that broke off we learn a moment after its client, who asks here at once: so a part that is
   * being written is given some time to end.
   */
  async offset(id: string, repository: string): Promise<number> {
    this.#check(id, repository);
    try {
      using _lock = await this.#locks.lock(id, AbortSignal.timeout(breakNoticedMs));
    } catch {
      // It is no broken one, then, and the client wants to know how far it is.
    }
    return await this.#length(id);
  }

  /**
   * Adds a part at the end and answers the length then. What arrived of a part that breaks off stays, for a client that goes on.
   *
   * @throws {@link EngineError} RANGE_INVALID with the offset as detail when the part belongs elsewhere; SIZE_INVALID when
   *   it is not as long as its range, and then nothing of it stays; whatever `onGrow` throws.
   */
  async append(id: string, repository: string, part: UploadPart): Promise<number> {
    this.#check(id, repository);
    return await this.#locks.run(
      id,
      async () => {
        const writer = await this.#write(id, repository, part);
        await this.#suspend(id, writer);
        failpoint('registry-upload-appended');
        return writer.sizeBytes;
      },
      part.signal,
    );
  }

  /** Adds the last part, if there is one, and gives the file away: it is the caller's, and the upload is over. */
  async finish(id: string, repository: string, part?: UploadPart): Promise<IngestedFile> {
    this.#check(id, repository);
    return await this.#locks.run(
      id,
      async () => {
        const writer = await this.#write(id, repository, part);
        const file = await writer.finish();
        failpoint('registry-upload-finished');
        return file;
      },
      part?.signal,
    );
  }

  /** After the file of {@link finish} was committed or thrown away. */
  forget(id: string): void {
    this.#records.remove(id);
  }

  async cancel(id: string, repository: string): Promise<void> {
    this.#check(id, repository);
    await this.#locks.run(id, () => this.#discard(id));
  }

  /** Ends uploads nobody touched since; answers how many. */
  async expire(untouchedSinceMs: number): Promise<number> {
    const ids = this.#records.listUntouchedSince(untouchedSinceMs);
    for (const id of ids) await this.#locks.run(id, () => this.#discard(id));
    return ids.length;
  }

  /** Removes files without a record, from a crash of the machine. */
  async sweep(): Promise<void> {
    const known = this.#records.ids();
    const names = await readdir(this.#directory);
    await Promise.all(
      names.filter((name) => !known.has(name)).map((name) => rm(join(this.#directory, name), { force: true })),
    );
  }

  count(): number {
    return this.#records.count();
  }

  #check(id: string, repository: string): void {
    if (!uuid.test(id) || !this.#records.exists(id, repository)) {
      throw registryError('BLOB_UPLOAD_UNKNOWN', { detail: { upload: id.slice(0, 100) } });
    }
  }

  #path(id: string): string {
    return join(this.#directory, id);
  }

  async #length(id: string): Promise<number> {
    try {
      return (await stat(this.#path(id))).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return 0;
      throw error;
    }
  }

  async #discard(id: string): Promise<void> {
    this.#hashes.delete(id);
    this.#records.remove(id);
    await rm(this.#path(id), { force: true });
  }

  /** The open writer after the part; when it fails, what arrived is kept and the writer closed. */
  async #write(id: string, repository: string, part?: UploadPart): Promise<BlobWriter> {
    // It may have ended while this request waited.
    this.#check(id, repository);
    const start = await this.#length(id);
    if (part?.range && part.range.start !== start) throw registryError('RANGE_INVALID', { detail: { offset: start } });
    const writer = await this.#resume(id, start);
    if (!part) return writer;
    try {
      await fill(writer, part, start);
    } catch (error) {
      await this.#suspend(id, writer);
      if (isKind(error, 'invalidArgument')) await this.#truncate(id, start);
      throw error;
    }
    return writer;
  }

  async #suspend(id: string, writer: BlobWriter): Promise<void> {
    this.#remember(id, await writer.suspend());
    this.#records.touch(id);
  }

  async #resume(id: string, sizeBytes: number): Promise<BlobWriter> {
    const kept = this.#hashes.get(id);
    this.#hashes.delete(id);
    if (kept?.sizeBytes === sizeBytes) return await BlobWriter.resume(this.#path(id), kept);
    const hash = createHash('sha256');
    if (sizeBytes > 0) {
      for await (const chunk of createReadStream(this.#path(id), { highWaterMark: 1024 * 1024 })) {
        hash.update(chunk as Buffer);
      }
    }
    return await BlobWriter.resume(this.#path(id), { hash, sizeBytes });
  }

  async #truncate(id: string, sizeBytes: number): Promise<void> {
    this.#hashes.delete(id);
    const writer = await BlobWriter.resume(this.#path(id), { hash: createHash('sha256'), sizeBytes });
    await writer.suspend();
  }

  #remember(id: string, written: { hash: Hash; sizeBytes: number }): void {
    this.#hashes.set(id, written);
    const [oldest] = this.#hashes.keys();
    if (this.#hashes.size > keptHashes && oldest !== undefined) this.#hashes.delete(oldest);
  }
}

async function fill(writer: BlobWriter, part: UploadPart, start: number): Promise<void> {
  const wanted = part.range === undefined ? undefined : part.range.end + 1 - start;
  let received = 0;
  for await (const chunk of part.body) {
    received += chunk.byteLength;
    if (wanted !== undefined && received > wanted) throw wrongSize(wanted, received);
    part.onGrow(start + received);
    await writer.write(chunk);
  }
  if (wanted !== undefined && received !== wanted) throw wrongSize(wanted, received);
}

function wrongSize(wantedBytes: number, receivedBytes: number): EngineError {
  return registryError('SIZE_INVALID', { detail: { wantedBytes, receivedBytes } });
}
