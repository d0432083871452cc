import { createHash } from 'node:crypto';
import type { RemoteRepository } from '#registry';
import type { ChainId, Digest, oci, ProgressLine } from '#spec';
import { formatPlatform, normalizePlatform } from '#spec';
import { chainIdOf, type Lease, type Store, type UnpackedLayer } from '#store';
import { decodeImageConfig } from '../image-config.ts';
import type { AddedImage, NewLayer, Registrar } from '../registrar.ts';
import { runnablePlatforms, shownPlatform } from './choose.ts';
import type { Downloads, LayerHandle } from './downloads.ts';
import { configVerificationFailed, layersMismatch, noMatchingManifest, registerFailed } from './errors.ts';
import type { FoundImage } from './find-image.ts';
import { LayerLines } from './layer-lines.ts';
import type { BlobEntry } from './manifest.ts';

export interface FetchParts {
  store: Store;
  registrar: Registrar;
  downloads: Downloads;
}

export interface FetchOptions {
  repository: RemoteRepository;
  /** What was asked for; undefined for whatever this machine makes of it. */
  platform: oci.Platform | undefined;
  /** The index that the image was found in. */
  index: Uint8Array | undefined;
  /** Full names to give it. */
  references: readonly string[];
  signal: AbortSignal;
  report: (line: ProgressLine) => void;
}

/** Brings an image's configuration and layers here, and adds it with its names in one step. */
export async function fetchImage(
  parts: FetchParts,
  found: FoundImage,
  lease: Lease,
  options: FetchOptions,
): Promise<AddedImage> {
  const { store, registrar } = parts;
  lease.pinBlob(found.config.digest);
  const config = await readConfig(store, options.repository, found.config, options.signal);
  const diffIds = checkedDiffIds(config, found.layers, options.platform);
  const isHere = store.images.find(found.config.digest) !== undefined;
  // Nothing is told of the layers of an image that is here, as with Docker.
  const report = isHere ? (): void => undefined : options.report;
  await using layers = new LayerFetch(parts, options.repository, lease, report, options.signal);
  const image = {
    config,
    layers: layers.start(found.layers, diffIds),
    manifest: found.manifest.bytes,
    index: options.index,
    references: options.references,
  };
  return await registrar.add(image, lease, layers.signal).catch((error: unknown) => {
    throw layers.failure ?? error;
  });
}

/** @throws dataLoss with Docker's text when it is not what the manifest says. */
async function readConfig(
  store: Store,
  repository: RemoteRepository,
  blob: BlobEntry,
  signal: AbortSignal,
): Promise<Buffer> {
  if (store.blobs.has(blob.digest)) return await store.blobs.read(blob.digest, blob.sizeBytes);
  const chunks = await Array.fromAsync(repository.readBlob(blob, { signal }));
  const bytes = Buffer.concat(chunks);
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== blob.digest) {
    throw configVerificationFailed(blob.digest);
  }
  return bytes;
}

function checkedDiffIds(
  config: Buffer,
  layers: readonly BlobEntry[],
  platform: oci.Platform | undefined,
): readonly Digest[] {
  const decoded = decodeImageConfig(config);
  if (platform && !runnablePlatforms(platform).includes(formatPlatform(normalizePlatform(decoded)))) {
    throw noMatchingManifest(shownPlatform(platform));
  }
  const diffIds = decoded.rootfs.diff_ids;
  if (diffIds.length !== layers.length) throw layersMismatch();
  return diffIds;
}

/** The layers of one pull. Disposing gives up what is under way. */
class LayerFetch implements AsyncDisposable {
  readonly #parts: FetchParts;
  readonly #repository: RemoteRepository;
  readonly #lease: Lease;
  readonly #report: (line: ProgressLine) => void;
  readonly #stop: AbortController;
  readonly #handles: LayerHandle[];
  /** Aborts with the pull, and when a layer has failed. */
  readonly signal: AbortSignal;
  #failure: unknown;

  constructor(
    parts: FetchParts,
    repository: RemoteRepository,
    lease: Lease,
    report: (line: ProgressLine) => void,
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.#repository = repository;
    this.#lease = lease;
    this.#report = report;
    this.#stop = new AbortController();
    this.#handles = [];
    this.signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#failure = undefined;
  }

  /** Why a layer could not be had, if that is what happened. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Begins with all of them; the answer is for the registrar. */
  start(blobs: readonly BlobEntry[], diffIds: readonly Digest[]): NewLayer[] {
    let parent: ChainId | undefined;
    const lines = blobs.map((blob) => new LayerLines(this.#report, blob));
    const wanted = blobs.map((blob, index) => {
      const diffId = diffIds[index];
      if (diffId === undefined) throw layersMismatch();
      parent = chainIdOf(parent, diffId);
      this.#lease.pinBlob(blob.digest);
      this.#lease.pinLayer(parent);
      const { layers, blobs: stored } = this.#parts.store;
      const isHere = layers.find(parent) !== undefined && stored.has(blob.digest);
      lines[index]?.say(isHere ? 'Already exists' : 'Pulling fs layer');
      return { diffId, blob, isHere };
    });
    return wanted.map(({ diffId, blob, isHere }, index): NewLayer => {
      const own = lines[index];
      if (isHere || own === undefined) return { diffId, blob };
      return this.#fetched(diffId, blob, own);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#handles.map((handle) => handle[Symbol.asyncDispose]()));
  }

  #fetched(diffId: Digest, blob: BlobEntry, lines: LayerLines): NewLayer {
    const handle = this.#parts.downloads.join({
      repository: this.#repository,
      blob,
      watcher: (event) => lines.on(event),
    });
    this.#handles.push(handle);
    const stored = handle.stored().catch((error: unknown) => this.#fail(error));
    stored.catch(() => undefined);
    return {
      diffId,
      blob,
      ready: async () => await this.#whileWanted(stored),
      unpacked: () => {
        lines.unpacking();
        const unpacking = handle.takeUnpacked();
        return unpacking && this.#unpacked(unpacking);
      },
      added: () => lines.done(),
    };
  }

  async #unpacked(unpacking: Promise<UnpackedLayer>): Promise<UnpackedLayer> {
    const told = unpacking.catch((error: unknown) => this.#fail(registerFailed(error)));
    return await this.#whileWanted(told);
  }

  /** Others may still be waiting for the same: this pull does not, once it is over. */
  async #whileWanted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    signal.throwIfAborted();
    const over = Promise.withResolvers<never>();
    const end = (): void => over.reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    signal.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([work, over.promise]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  #fail(error: unknown): never {
    if (!this.signal.aborted) this.#failure ??= error;
    this.#stop.abort(error);
    throw error;
  }
}
