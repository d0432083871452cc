import { parseUploadRange } from '#registry';
import type { Digest } from '#spec';
import { findEngineError } from '#errors';
import { registryError } from '../errors.ts';
import { bodyOf, contentLength, hasBody } from '../http/body.ts';
import { type Exchange, expectWaiting, sendEmpty } from '../http/exchange.ts';
import { parseContentDigest, parseRepositoryName } from '../names.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import type { UploadPart } from '../storage/uploads.ts';

export interface UploadRules {
  /** Told to clients as `OCI-Chunk-Min-Length`; 0: not told. */
  readonly chunkMinBytes: number;
  /** Longer blobs are refused; 0: any length. */
  readonly maxBlobBytes: number;
}

interface UploadTarget {
  readonly repository: string;
  readonly id: string;
}

function uploadHeaders({ repository, id }: UploadTarget, offset: number): Record<string, string> {
  return {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, offset - 1)}`,
    'Docker-Upload-UUID': id,
  };
}

function sendCreated(exchange: Exchange, repository: string, digest: Digest): void {
  sendEmpty(exchange.response, 201, {
    Location: `/v2/${repository}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
  });
}

/** The requests of uploads (end-4a to end-6, end-11, end-13, end-14). */
export class UploadRoutes {
  readonly #storage: RegistryStorage;
  readonly #rules: UploadRules;
  readonly #onPushed: (exchange: Exchange, repository: string, digest: Digest, mountedFrom?: string) => void;

  constructor(
    storage: RegistryStorage,
    rules: UploadRules,
    onPushed: (exchange: Exchange, repository: string, digest: Digest, mountedFrom?: string) => void,
  ) {
    this.#storage = storage;
    this.#rules = rules;
    this.#onPushed = onPushed;
  }

  /** `POST`: mounts, takes the whole blob, or begins an upload. */
  async begin(exchange: Exchange, repository: string): Promise<void> {
    const { query } = exchange;
    const algorithm = query.get('digest-algorithm') ?? 'sha256';
    if (algorithm !== 'sha256') {
      throw registryError('DIGEST_INVALID', { message: 'unsupported digest algorithm: this registry keeps sha256' });
    }
    if (query.has('mount') && (await this.#mount(exchange, repository, parseContentDigest(query.get('mount'))))) return;
    if (query.has('digest')) return await this.#whole(exchange, repository, parseContentDigest(query.get('digest')));
    const id = this.#storage.uploads.create(repository);
    const { chunkMinBytes } = this.#rules;
    sendEmpty(exchange.response, 202, {
      ...uploadHeaders({ repository, id }, 0),
      ...(chunkMinBytes > 0 ? { 'OCI-Chunk-Min-Length': String(chunkMinBytes) } : {}),
    });
  }

  /** A repository that may not be read is as good as none. */
  async #mount(exchange: Exchange, repository: string, digest: Digest): Promise<boolean> {
    const from = exchange.query.get('from');
    const candidates = from === null || from === '' ? this.#storage.links.holders(digest) : [parseRepositoryName(from)];
    const source = candidates.find((name) => exchange.access.may(name, 'pull'));
    if (source === undefined || !(await this.#storage.mountBlob(repository, digest, source))) return false;
    this.#onPushed(exchange, repository, digest, source);
    sendCreated(exchange, repository, digest);
    return true;
  }

  async #whole(exchange: Exchange, repository: string, digest: Digest): Promise<void> {
    const id = this.#storage.uploads.create(repository);
    try {
      await this.#finish(exchange, { repository, id }, digest);
    } catch (error) {
      // Nobody was told of this upload, so nobody can go on with it.
      await this.#storage.uploads.cancel(id, repository).catch(() => undefined);
      throw error;
    }
  }

  /** `PATCH`: one more part. */
  async append(exchange: Exchange, target: UploadTarget): Promise<void> {
    await this.#tellOffset(exchange, target, async () => {
      const length = await this.#storage.uploads.append(target.id, target.repository, this.#part(exchange, target));
      sendEmpty(exchange.response, 202, uploadHeaders(target, length));
    });
  }

  /** `PUT`: the last part, if any, and the end. */
  async finish(exchange: Exchange, target: UploadTarget): Promise<void> {
    const digest = parseContentDigest(exchange.query.get('digest'));
    await this.#tellOffset(exchange, target, () => this.#finish(exchange, target, digest));
  }

  async #finish(exchange: Exchange, target: UploadTarget, digest: Digest): Promise<void> {
    const { uploads } = this.#storage;
    const part = hasBody(exchange.request) ? this.#part(exchange, target, digest) : undefined;
    const file = await uploads.finish(target.id, target.repository, part);
    expectWaiting(exchange);
    try {
      await this.#storage.commitBlob(target.repository, file, digest);
    } finally {
      uploads.forget(target.id);
    }
    this.#onPushed(exchange, target.repository, digest);
    sendCreated(exchange, target.repository, digest);
  }

  /** `GET`: how much has arrived. */
  async status(exchange: Exchange, target: UploadTarget): Promise<void> {
    const offset = await this.#storage.uploads.offset(target.id, target.repository);
    sendEmpty(exchange.response, 204, uploadHeaders(target, offset));
  }

  /** `DELETE`. */
  async cancel(exchange: Exchange, target: UploadTarget): Promise<void> {
    await this.#storage.uploads.cancel(target.id, target.repository);
    sendEmpty(exchange.response, 204);
  }

  /** @param digest - where it is known; what the repository has already needs no room. */
  #part(exchange: Exchange, { repository }: UploadTarget, digest?: Digest): UploadPart {
    const { request } = exchange;
    const { maxBlobBytes } = this.#rules;
    const isThere = digest !== undefined && this.#storage.links.find(repository, digest) !== undefined;
    const room = isThere ? Infinity : this.#storage.roomBytes(repository);
    return {
      body: bodyOf(request),
      range: readRange(request.headers['content-range'], contentLength(request)),
      signal: exchange.signal,
      onGrow: (sizeBytes) => {
        if (maxBlobBytes > 0 && sizeBytes > maxBlobBytes) {
          throw registryError('SIZE_INVALID', { status: 413, message: `blobs are limited to ${maxBlobBytes} bytes` });
        }
        if (sizeBytes > room) this.#storage.checkQuota(repository, sizeBytes);
      },
    };
  }

  /** An offset that does not fit is answered with the one that would. */
  async #tellOffset(exchange: Exchange, target: UploadTarget, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const known = findEngineError(error);
      if (known?.code !== 'RANGE_INVALID') throw error;
      const { offset } = (known.details['detail'] ?? {}) as { offset?: number };
      throw registryError('RANGE_INVALID', { headers: uploadHeaders(target, offset ?? 0), cause: error });
    }
  }
}

/** @throws {@link EngineError} BLOB_UPLOAD_INVALID when it is malformed, SIZE_INVALID when it contradicts the length. */
function readRange(header: string | undefined, lengthBytes: number | undefined): UploadPart['range'] {
  if (header === undefined) return undefined;
  const range = parseUploadRange(header);
  if (!range) throw registryError('BLOB_UPLOAD_INVALID', { message: 'invalid Content-Range', detail: { header } });
  if (lengthBytes !== undefined && lengthBytes !== range.end - range.start + 1) {
    throw registryError('SIZE_INVALID', { detail: { range, contentLength: lengthBytes } });
  }
  return range;
}
