import { closeSync, mkdirSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, findEngineError } from '#errors';
import { failpoint } from '#lib';
import type { Digest } from '#spec';
import { BlobStore, type Database, type IngestedFile, openDatabase } from '#store';
import { createLinuxSys } from '#sys';
import { registryError } from '../errors.ts';
import type { ManifestContent } from '../manifest-content.ts';
import type { ManifestReference } from '../names.ts';
import { BlobLinkRecords } from './blob-link-records.ts';
import { CommitQueue } from './commit-queue.ts';
import { ManifestRecords, type ManifestRecord } from './manifest-records.ts';
import { Pins } from './pins.ts';
import { RepositoryRecords } from './repository-records.ts';
import { registryMigrations } from './schema.ts';
import { UploadRecords } from './upload-records.ts';
import { Uploads } from './uploads.ts';

export interface StorageOptions {
  readonly root: string;
  readonly maxOpenUploads: number;
  /** Most bytes a repository may hold; undefined: as many as there are. */
  readonly quotaBytes: (repository: string) => number | undefined;
}

/** What one push of a manifest changed. */
export interface PushedManifest {
  readonly digest: Digest;
  readonly tags: readonly string[];
}

/**
 * Everything a registry keeps, in one directory:
 *
 * ```
 * registry.db      what is where: see schema.ts
 * blobs/ ingest/   the content store, the engine's own code
 * uploads/         what has arrived of unfinished uploads
 * lock             held by the process that works here
 * ```
 *
 * A blob's bytes are there before the row that shows it, and go after the last row is gone; so any row has its bytes, whenever the
 * process dies. What a manifest needs is looked for in the same transaction that adds the manifest, and the collector
 * decides in transactions too.
 */
export class RegistryStorage implements Disposable {
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly repositories: RepositoryRecords;
  readonly links: BlobLinkRecords;
  readonly manifests: ManifestRecords;
  readonly uploads: Uploads;
  readonly pins: Pins;
  readonly #commits: CommitQueue;
  readonly #options: StorageOptions;
  readonly #lockFd: number;
  #isOpen: boolean;

  private constructor(options: StorageOptions, lockFd: number) {
    this.#options = options;
    this.#lockFd = lockFd;
    this.#isOpen = true;
    this.db = openDatabase(join(options.root, 'registry.db'), registryMigrations);
    this.blobs = new BlobStore(options.root);
    this.repositories = new RepositoryRecords(this.db);
    this.links = new BlobLinkRecords(this.db);
    this.manifests = new ManifestRecords(this.db);
    this.uploads = new Uploads(options.root, new UploadRecords(this.db), { maxOpen: options.maxOpenUploads });
    this.pins = new Pins();
    this.#commits = new CommitQueue(this.db);
  }

  /**
   * Opens (or makes) the directory and removes what a crash left half done.
   *
   * @throws {@link EngineError} conflict when another process works there.
   */
  static async open(options: StorageOptions): Promise<RegistryStorage> {
    mkdirSync(options.root, { recursive: true, mode: 0o700 });
    const lockFd = openSync(join(options.root, 'lock'), 'w', 0o600);
    try {
      if (!createLinuxSys().files.tryLockFile(lockFd, 'exclusive')) {
        throw new EngineError('conflict', 'REGISTRY_IN_USE', `another process works in ${options.root}`);
      }
      const storage = new RegistryStorage(options, lockFd);
      await storage.#recover();
      return storage;
    } catch (error) {
      closeSync(lockFd);
      throw error;
    }
  }

  async #recover(): Promise<void> {
    const leftovers = await this.blobs.listIngest();
    await Promise.all(leftovers.map((name) => rm(this.blobs.ingestEntryPath(name), { recursive: true, force: true })));
    await this.uploads.sweep();
  }

  /** Resolves when what `work` changed is on the disk; all or nothing. */
  async write<T>(work: () => T): Promise<T> {
    return await this.#commits.run(work);
  }

  /** Makes an ingested file a blob of the repository; the file is gone afterwards, whatever happens. */
  async commitBlob(repository: string, file: IngestedFile, digest: Digest): Promise<void> {
    using _pin = this.pins.pin(digest);
    try {
      await this.blobs.commit(file, { digest });
    } catch (error) {
      await this.blobs.discard(file);
      if (findEngineError(error)?.code !== 'BLOB_MISMATCH') throw error;
      throw registryError('DIGEST_INVALID', { detail: { expected: digest, actual: file.digest }, cause: error });
    }
    failpoint('registry-blob-stored');
    await this.write(() => this.#link(repository, digest, file.sizeBytes));
    failpoint('registry-blob-linked');
  }

  /** Shows a blob of one repository in another too; false when `from` does not show it. */
  async mountBlob(repository: string, digest: Digest, from: string): Promise<boolean> {
    return await this.write(() => {
      const source = this.links.find(from, digest);
      if (source) this.#link(repository, digest, source.sizeBytes);
      return source !== undefined;
    });
  }

  /** @throws {@link EngineError} DENIED when `addedBytes` more would be too many for the repository. */
  checkQuota(repository: string, addedBytes: number): void {
    const quotaBytes = this.#options.quotaBytes(repository) ?? Infinity;
    const usedBytes = quotaBytes - this.roomBytes(repository);
    if (quotaBytes === Infinity || usedBytes + addedBytes <= quotaBytes) return;
    throw registryError('DENIED', {
      message: `the quota of repository ${repository} is used up: ${usedBytes} of ${quotaBytes} bytes are in use, ${addedBytes} more do not fit`,
      detail: { quotaBytes, usedBytes, addedBytes },
    });
  }

  /** How many bytes more the repository may take; without end where there is no quota. */
  roomBytes(repository: string): number {
    const quotaBytes = this.#options.quotaBytes(repository);
    if (quotaBytes === undefined) return Infinity;
    const id = this.repositories.find(repository);
    return quotaBytes - (id === undefined ? 0 : this.repositories.usedBytes(id));
  }

  #link(repository: string, digest: Digest, sizeBytes: number): void {
    if (!this.links.find(repository, digest)) this.checkQuota(repository, sizeBytes);
    this.links.link(this.repositories.ensure(repository), digest, sizeBytes);
  }

  /**
   * Stores a manifest and sets the tags, all at once.
   *
   * @param requireContent - false where blobs are fetched when they are asked for.
   * @throws {@link EngineError} MANIFEST_BLOB_UNKNOWN naming what is missing.
   */
  async putManifest(
    repository: string,
    bytes: Uint8Array,
    content: ManifestContent,
    tags: readonly string[],
    requireContent = true,
  ): Promise<PushedManifest> {
    using pins = new DisposableStack();
    const digest = await this.blobs.put(bytes, (each) => void pins.use(this.pins.pin(each)));
    failpoint('registry-manifest-stored');
    await this.write(() => {
      const id = this.repositories.ensure(repository);
      if (requireContent) this.#requireContent(id, repository, content);
      if (!this.manifests.find(id, digest)) this.checkQuota(repository, bytes.byteLength);
      this.manifests.put(id, { digest, sizeBytes: bytes.byteLength, ...content }, content);
      for (const tag of tags) this.manifests.setTag(id, tag, digest);
      this.repositories.publish(id);
    });
    failpoint('registry-manifest-committed');
    return { digest, tags };
  }

  #requireContent(id: number, repository: string, content: ManifestContent): void {
    const missing = [
      ...content.blobs.filter((digest) => !this.links.find(repository, digest)),
      ...content.manifests.filter((digest) => !this.manifests.find(id, digest)),
    ];
    const [first] = missing;
    if (first === undefined) return;
    throw registryError('MANIFEST_BLOB_UNKNOWN', {
      message: `blob unknown to registry: ${first}`,
      detail: { digests: missing.slice(0, 100) },
    });
  }

  /** The manifest that a tag or digest names; undefined when there is none. */
  findManifest(repository: string, reference: ManifestReference): ManifestRecord | undefined {
    const id = this.repositories.find(repository);
    if (id === undefined) return undefined;
    const digest = reference.kind === 'digest' ? reference.digest : this.manifests.findTag(id, reference.tag);
    return digest === undefined ? undefined : this.manifests.find(id, digest);
  }

  /** Closing twice is fine. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.db.close();
    closeSync(this.#lockFd);
  }
}
