import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createTarWriter, decompress, type TarWriter } from '#archive';
import { EngineError } from '#errors';
import { parseRfc3339Nano } from '#lib';
import { familiarName, familiarReference, parseReference, type Digest, type ImageReference, type oci } from '#spec';
import type { ImageRecord, Layer, Store } from '#store';
import { makeManifest, MEDIA_TYPES } from './registrar.ts';

/** An image to save, with the names asked for. */
export interface SavedImage {
  image: ImageRecord;
  names: readonly ImageReference[];
}

/** With all that is written of it, read while the image was there: it may be removed meanwhile. */
export interface PinnedImage extends SavedImage {
  config: oci.ImageConfig;
  /** From the bottom. */
  layers: readonly Layer[];
}

interface SavedParts extends PinnedImage {
  manifest: Buffer;
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function blobName(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/**
 * The tar of `docker save`: an OCI layout, with Docker's `manifest.json` and `repositories` beside it. Layers are plain
 * tars whatever they came as: every tool reads those, and what is written depends on the image alone.
 *
 * Blobs and layers must stay pinned until `done` is called.
 */
export function writeImages(
  store: Store,
  images: readonly PinnedImage[],
  signal: AbortSignal,
  done: () => void,
): Readable {
  const writer = createTarWriter();
  const abort = (): void => writer.destroy(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
  signal.addEventListener('abort', abort, { once: true });
  new ImageWriter(store, writer)
    .write(images)
    .catch((error: unknown) => writer.destroy(error instanceof Error ? error : new Error(String(error))))
    .finally(() => {
      signal.removeEventListener('abort', abort);
      done();
    });
  return writer.stream;
}

class ImageWriter {
  readonly #store: Store;
  readonly #writer: TarWriter;
  readonly #written: Set<string>;

  constructor(store: Store, writer: TarWriter) {
    this.#store = store;
    this.#writer = writer;
    this.#written = new Set();
  }

  async write(images: readonly PinnedImage[]): Promise<void> {
    await this.#writer.add({ name: 'blobs/', type: 'directory' });
    await this.#writer.add({ name: 'blobs/sha256/', type: 'directory' });
    const parts: SavedParts[] = [];
    for (const image of images) parts.push(await this.#writeImage(image));
    await this.#addJson('index.json', toIndex(parts));
    await this.#addJson('manifest.json', parts.map(toManifestEntry));
    await this.#addJson('oci-layout', { imageLayoutVersion: '1.0.0' });
    const repositories = toRepositories(parts);
    if (Object.keys(repositories).length > 0) await this.#addJson('repositories', repositories);
    await this.#writer.end();
  }

  async #writeImage(pinned: PinnedImage): Promise<SavedParts> {
    const { image, config, layers } = pinned;
    const created = config.created === undefined ? 0n : (parseRfc3339Nano(config.created) ?? 0n);
    for (const layer of layers) await this.#writeLayer(layer, created);
    const sizeBytes = this.#store.blobs.sizeBytes(image.id);
    await this.#addBlob(image.id, sizeBytes, created, () => this.#store.blobs.openRead(image.id));
    const blobs = layers.map((layer) => ({
      digest: layer.diffId,
      sizeBytes: layer.tarSizeBytes,
      mediaType: MEDIA_TYPES.layer,
    }));
    const manifest = makeManifest({ digest: image.id, sizeBytes }, blobs);
    await this.#addBlob(digestOf(manifest), manifest.length, created, () => manifest);
    return { ...pinned, manifest };
  }

  async #writeLayer(layer: Layer, created: bigint): Promise<void> {
    const open = (): Readable => decompress(this.#store.blobs.openRead(layer.blobDigest));
    await this.#addBlob(layer.diffId, layer.tarSizeBytes, created, () => verified(open(), layer));
  }

  async #addBlob(
    digest: Digest,
    sizeBytes: number,
    created: bigint,
    open: () => AsyncIterable<Uint8Array> | Uint8Array,
  ): Promise<void> {
    if (this.#written.has(digest)) return;
    this.#written.add(digest);
    await this.#writer.add({ name: blobName(digest), sizeBytes, mtimeNs: created }, open());
  }

  async #addJson(name: string, value: unknown): Promise<void> {
    await this.#writer.add({ name }, JSON.stringify(value));
  }
}

/** Passes a layer on and fails at its end if it is not what it should be: better no archive than a wrong one. */
async function* verified(content: AsyncIterable<Uint8Array>, layer: Layer): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== layer.diffId) {
    throw new EngineError('dataLoss', 'BLOB_DAMAGED', `the stored content of layer ${layer.diffId} is damaged`);
  }
}

function toIndex(images: readonly SavedParts[]): oci.Index {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: images.flatMap(({ manifest, config, names }) => {
      const variant = config.variant === undefined ? {} : { variant: config.variant };
      const descriptor: oci.Descriptor = {
        mediaType: MEDIA_TYPES.manifest,
        digest: digestOf(manifest),
        size: manifest.length,
        platform: { architecture: config.architecture, os: config.os, ...variant },
      };
      if (names.length === 0) return [descriptor];
      return names.map((name) => ({ ...descriptor, annotations: toAnnotations(name) }));
    }),
  };
}

function toAnnotations(name: ImageReference): Record<string, string> {
  const full = `${name.domain}/${name.path}:${name.tag ?? ''}`;
  return { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': name.tag ?? '' };
}

function toManifestEntry({ image, names, layers }: SavedParts): Record<string, unknown> {
  const sources = layers.map((layer) => [
    layer.diffId,
    { mediaType: MEDIA_TYPES.layer, size: layer.tarSizeBytes, digest: layer.diffId },
  ]);
  return {
    Config: blobName(image.id),
    RepoTags: names.length === 0 ? null : names.map(familiarReference),
    Layers: layers.map((layer) => blobName(layer.diffId)),
    ...(layers.length === 0 ? {} : { LayerSources: Object.fromEntries(sources) as Record<string, unknown> }),
  };
}

/** Names to the topmost layer, for tools that still read this. */
function toRepositories(images: readonly SavedParts[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, names, layers } of images) {
    const top = (layers.at(-1)?.diffId ?? image.id).slice('sha256:'.length);
    for (const name of names) {
      const tags = (repositories[familiarName(name)] ??= {});
      tags[name.tag ?? ''] = top;
    }
  }
  return repositories;
}

/** Merges requests for one image under several names; the order is that of the request. */
export function mergeSaved(requests: readonly SavedImage[]): SavedImage[] {
  const byId = new Map<Digest, SavedImage>();
  for (const { image, names } of requests) {
    const before = byId.get(image.id)?.names ?? [];
    const all = new Map([...before, ...names].map((name) => [familiarReference(name), name]));
    byId.set(image.id, { image, names: [...all.values()] });
  }
  return [...byId.values()];
}

/** The names of a repository that are tags, sorted. */
export function tagsOf(references: readonly string[], repository: string): ImageReference[] {
  const names = references.map(parseReference).filter((name) => name.digest === undefined);
  return names.filter((name) => `${name.domain}/${name.path}` === repository);
}
