import { formatReference, isDigest, isTag, type Digest, type ImageReference } from '#spec';
import { EngineError } from '#errors';
import { Authorizer, repositoryScope } from './authorizer.ts';
import { hasBlob } from './blobs.ts';
import type { BlobPushed, BlobWanted, RegistryCredentials, RemoteManifest, RemoteRepository } from './contract.ts';
import { downloadBlob, type BlobSource } from './downloads.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import { cancelled, connectionFailureOf, statusOf } from './failures.ts';
import { deleteManifest, getManifest, headManifest, putManifest, type ManifestPlace } from './manifests.ts';
import type { Following } from './redirects.ts';
import { retrying } from './retry.ts';
import { Session } from './session.ts';
import { listTags } from './tags.ts';
import type { Tokens } from './tokens.ts';
import { uploadBlob } from './uploads.ts';

export interface RepositoryTools extends Following {
  readonly endpoints: Endpoints;
  readonly tokens: Tokens;
  /** How often a blob is tried before giving up. */
  readonly downloadAttempts: number;
}

/** See the contract. */
export class Repository implements RemoteRepository {
  readonly domain: string;
  readonly path: string;
  readonly #tools: RepositoryTools;
  readonly #credentials: RegistryCredentials;
  readonly #actions: 'pull' | 'push';

  constructor(
    name: { domain: string; path: string },
    options: { credentials: RegistryCredentials; actions: 'pull' | 'push' },
    tools: RepositoryTools,
  ) {
    this.domain = name.domain;
    this.path = name.path;
    this.#credentials = options.credentials;
    this.#actions = options.actions;
    this.#tools = tools;
  }

  async getManifest(reference: string, { signal }: { signal: AbortSignal }): Promise<RemoteManifest> {
    const place = this.#place(reference);
    for (const mirror of await this.#tools.endpoints.mirrors(this.domain)) {
      try {
        return await getManifest(this.#session(mirror), place, signal);
      } catch (error) {
        if (signal.aborted) throw cancelled(signal);
        this.#mirrorFailed(mirror, error);
      }
    }
    return await this.#atRegistry(signal, (session) => getManifest(session, place, signal));
  }

  async headManifest(
    reference: string,
    { signal }: { signal: AbortSignal },
  ): Promise<{ digest: Digest; mediaType: string; sizeBytes: number } | undefined> {
    const place = this.#place(reference);
    return await this.#atRegistry(signal, async (session) => {
      const told = await headManifest(session, place, signal);
      if (told !== 'untold') return told;
      const { digest, mediaType, bytes } = await getManifest(session, place, signal);
      return { digest, mediaType, sizeBytes: bytes.length };
    });
  }

  async *readBlob(
    blob: BlobWanted,
    options: { signal: AbortSignal; onRetry?: (attempt: number, delayMs: number) => void },
  ): AsyncGenerator<Buffer, void> {
    const { signal, onRetry } = options;
    const mirrors = await this.#tools.endpoints.mirrors(this.domain);
    const sources: BlobSource[] = mirrors.map((mirror) => ({
      session: () => Promise.resolve(this.#session(mirror)),
      onFailure: (error) => this.#mirrorFailed(mirror, error),
      isLast: false,
    }));
    sources.push({
      session: async () => this.#session(await this.#tools.endpoints.registry(this.domain, signal)),
      onFailure: () => undefined,
      isLast: true,
    });
    yield* downloadBlob(blob, sources, {
      path: this.path,
      signal,
      onRetry,
      limits: { ...this.#tools.limits, attempts: this.#tools.downloadAttempts },
    });
  }

  async hasBlob(digest: Digest, { signal }: { signal: AbortSignal }): Promise<boolean> {
    return await this.#atRegistry(signal, (session) => hasBlob(session, this.path, digest, signal));
  }

  async pushBlob(
    blob: BlobWanted,
    options: {
      open: (offsetBytes: number) => AsyncIterable<Uint8Array>;
      mountFrom: readonly string[];
      onProgress?: (sentBytes: number) => void;
      onMounted?: (fromPath: string) => void;
      onRetry?: (attempt: number, delayMs: number) => void;
      signal: AbortSignal;
    },
  ): Promise<BlobPushed> {
    const endpoint = await this.#registry(options.signal);
    return await uploadBlob(this.#session(endpoint), blob, { ...options, path: this.path });
  }

  async putManifest(
    reference: string,
    manifest: { mediaType: string; bytes: Uint8Array },
    { signal }: { signal: AbortSignal },
  ): Promise<Digest> {
    const place = this.#place(reference);
    return await this.#atRegistry(signal, (session) => putManifest(session, place, manifest, signal));
  }

  async listTags({ signal }: { signal: AbortSignal }): Promise<string[]> {
    return await listTags(this.#session(await this.#registry(signal)), this.path, signal);
  }

  async deleteManifest(reference: string, { signal }: { signal: AbortSignal }): Promise<void> {
    const place = this.#place(reference);
    await this.#atRegistry(signal, (session) => deleteManifest(session, place, signal));
  }

  async #atRegistry<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const once = async (): Promise<T> => {
      const endpoint = await this.#tools.endpoints.registry(this.domain, signal);
      try {
        return await work(this.#session(endpoint));
      } catch (error) {
        this.#registryFailed(error, endpoint);
        throw error;
      }
    };
    return await retrying(once, { limits: this.#tools.limits, signal });
  }

  async #registry(signal: AbortSignal): Promise<Endpoint> {
    const { limits, endpoints } = this.#tools;
    return await retrying(() => endpoints.registry(this.domain, signal), { limits, signal });
  }

  /** How it was reached may not be right any more. */
  #registryFailed(error: unknown, endpoint: Endpoint): void {
    const failure = connectionFailureOf(error);
    const isSame = failure === undefined || failure === 'reset' || failure === 'timeout';
    if (!isSame) this.#tools.endpoints.forget(endpoint);
  }

  /** That a mirror has not got something says nothing about the next thing; that it does not answer does. */
  #mirrorFailed(mirror: Endpoint, error: unknown): void {
    const isDown = connectionFailureOf(error) !== undefined || (statusOf(error) ?? 0) >= 500;
    if (isDown) this.#tools.endpoints.pause(mirror);
  }

  #session(endpoint: Endpoint): Session {
    return new Session({
      ...this.#tools,
      endpoint,
      authorizer: new Authorizer(endpoint, this.#credentials, this.#tools.tokens),
      scopes: [repositoryScope(this.path, this.#actions === 'push' ? 'pull,push' : 'pull')],
      operation: this.#actions,
    });
  }

  #place(reference: string): ManifestPlace {
    if (!isDigest(reference) && !isTag(reference)) {
      throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'invalid reference format');
    }
    const { domain, path } = this;
    const name: ImageReference = isDigest(reference)
      ? { domain, path, digest: reference }
      : { domain, path, tag: reference };
    return { path, reference, fullName: formatReference(name) };
  }
}
