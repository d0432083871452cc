import { findEngineError } from '#errors';
import { KeyedMutex, type Logger } from '#lib';
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryCredentials,
  type RemoteManifest,
  type RemoteRepository,
} from '#registry';
import type { Digest } from '#spec';
import type { ProxyConfig } from '../config/schema.ts';
import { registryError } from '../errors.ts';
import { listContents, parseManifest } from '../manifest-content.ts';
import type { ManifestReference } from '../names.ts';
import type { ManifestRecord } from '../storage/manifest-records.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import { UpstreamRecords } from './upstream-records.ts';

/** The other registry, and what of it is here. Manifests come when they are asked for, blobs when those are. */
export class Upstream implements Disposable {
  readonly records: UpstreamRecords;
  readonly #storage: RegistryStorage;
  readonly #config: ProxyConfig;
  readonly #client: RegistryClient;
  readonly #locks: KeyedMutex;
  readonly #logger: Logger;

  constructor(storage: RegistryStorage, config: ProxyConfig, logger: Logger) {
    this.records = new UpstreamRecords(storage.db);
    this.#storage = storage;
    this.#config = config;
    this.#logger = logger;
    this.#locks = new KeyedMutex();
    const { host, protocol } = new URL(config.upstream);
    this.#client = createRegistryClient({
      userAgent: 'berth-registry',
      insecureRegistries: protocol === 'http:' ? [host] : [],
      mirrors: {},
      certificateDirectories: ['/etc/berth/certs.d', '/etc/docker/certs.d'],
      proxies: {},
    });
  }

  repository(path: string): RemoteRepository {
    const { username, password, upstream } = this.#config;
    const credentials: RegistryCredentials = { username, password };
    return this.#client.repository({ domain: new URL(upstream).host, path }, { credentials, actions: 'pull' });
  }

  /**
   * Brings a manifest here if it is not, or if its tag was not compared for a while. When the upstream cannot be reached,
   * what is here is good enough.
   */
  async ensureManifest(repository: string, reference: ManifestReference, signal: AbortSignal): Promise<void> {
    const name = reference.kind === 'tag' ? reference.tag : reference.digest;
    await this.#locks.run(`${repository} ${name}`, async () => {
      const here = this.#storage.findManifest(repository, reference);
      const ageMs = Date.now() - this.records.checkedMs(repository, name);
      const isFresh = reference.kind === 'digest' || ageMs < this.#config.freshSeconds * 1000;
      if (!here || !isFresh) await this.#refresh(repository, reference, here, signal);
      this.records.check(repository, name);
      const digest = this.#storage.findManifest(repository, reference)?.digest;
      if (digest !== undefined) this.records.check(repository, digest);
    });
  }

  async #refresh(
    repository: string,
    reference: ManifestReference,
    here: ManifestRecord | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const name = reference.kind === 'tag' ? reference.tag : reference.digest;
    try {
      const remote = this.repository(repository);
      if (here && (await remote.headManifest(name, { signal }))?.digest === here.digest) return;
      await this.#keep(repository, reference, await remote.getManifest(name, { signal }));
    } catch (error) {
      const kind = findEngineError(error)?.kind;
      if (kind === 'notFound' && here && reference.kind === 'tag') {
        await this.#storage.write(() => {
          const id = this.#storage.repositories.find(repository);
          if (id !== undefined) this.#storage.manifests.removeTag(id, reference.tag);
        });
        return;
      }
      // What nobody has is answered as in any registry.
      if (kind === 'notFound') return;
      this.#logger.warn('the upstream did not answer', { repository, reference: name, error });
      if (!here)
        throw registryError('UNAVAILABLE', { message: 'the upstream registry cannot be reached', cause: error });
    }
  }

  async #keep(repository: string, reference: ManifestReference, manifest: RemoteManifest): Promise<void> {
    const content = parseManifest(manifest.bytes, manifest.mediaType);
    const tags = reference.kind === 'tag' ? [reference.tag] : [];
    await this.#storage.putManifest(repository, manifest.bytes, content, tags, false);
    await this.#storage.write(() => {
      for (const { digest, sizeBytes } of listContents(manifest.bytes)) {
        this.records.addContent(repository, digest, sizeBytes);
      }
    });
  }

  /** Forgets what nobody asked for since; the next collection frees it. */
  async expire(): Promise<number> {
    const sinceMs = Date.now() - this.#config.keepSeconds * 1000;
    return await this.#storage.write(() => this.records.removeUnusedSince(sinceMs));
  }

  /** Blobs that are on their way, by digest. */
  async lockBlob(digest: Digest, signal: AbortSignal): Promise<Disposable> {
    return await this.#locks.lock(digest, signal);
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}
