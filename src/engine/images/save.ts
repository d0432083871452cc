import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { createTarWriter, decompress, type TarWriter } from '#archive';
import { EngineError } from '#errors';
import { parseRfc3339Nano } from '#lib';
import { familiarName, familiarReference, type Digest, type ImageReference, type oci } from '#spec';
import type { Layer, Store } from '#store';
import { makeManifest, MEDIA_TYPES } from './registrar.ts';

/** An image to save, with the names asked for. */
interface Named {
  imageId: Digest;
  names: readonly ImageReference[];
}

/** An image of one platform, written anew: with plain layers, and a manifest that lists those. */
export interface PlainImage extends Named {
  kind: 'plain';
  config: oci.ImageConfig;
  /** From the bottom. */
  layers: readonly Layer[];
}

/** An index, or one manifest of it, written as it came. */
export interface KeptImage extends Named {
  kind: 'kept';
  root: oci.Descriptor;
  /** All that is here of it; what is missing stays missing. */
  blobs: readonly Digest[];
  /** Of the image that tools see which read nothing but Docker's list. */
  config: oci.ImageConfig;
  layers: readonly oci.Descriptor[];
}

/** All that is written, read while it was there: it may be removed meanwhile. */
export type SavedImage = PlainImage | KeptImage;

interface Written extends Named {
  root: oci.Descriptor;
  layers: readonly Pick<oci.Descriptor, 'mediaType' | 'size' | 'digest'>[];
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function blobName(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

/**
 * The tar of `docker save`: an OCI layout, with Docker's `manifest.json` and `repositories` beside it. Layers of an image of
 * one platform are plain tars whatever they came as: every tool reads those, and what is written depends on the image
 * alone. An index is written byte for byte, so that its digest stays.
 *
 * Blobs and layers must stay pinned until `done` is called.
 */
export function writeImages(
  store: Store,
  images: readonly SavedImage[],
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

  async write(images: readonly SavedImage[]): Promise<void> {
    await this.#writer.add({ name: 'blobs/', type: 'directory' });
    await this.#writer.add({ name: 'blobs/sha256/', type: 'directory' });
    const written: Written[] = [];
    for (const image of images) {
      written.push(image.kind === 'kept' ? await this.#writeKept(image) : await this.#writePlain(image));
    }
    await this.#addJson('index.json', toIndex(written));
    await this.#addJson('manifest.json', written.map(toManifestEntry));
    await this.#addJson('oci-layout', { imageLayoutVersion: '1.0.0' });
    const repositories = toRepositories(written);
    if (Object.keys(repositories).length > 0) await this.#addJson('repositories', repositories);
    await this.#writer.end();
  }

  async #writeKept({ root, blobs, config, imageId, names, layers }: KeptImage): Promise<Written> {
    const created = createdNano(config);
    for (const digest of blobs) {
      const open = (): AsyncIterable<Uint8Array> => verified(this.#store.blobs.openRead(digest), digest);
      await this.#addBlob(digest, this.#store.blobs.sizeBytes(digest), created, open);
    }
    return { root, imageId, names, layers };
  }

  async #writePlain({ imageId, config, layers, names }: PlainImage): Promise<Written> {
    const created = createdNano(config);
    for (const layer of layers) await this.#writeLayer(layer, created);
    const sizeBytes = this.#store.blobs.sizeBytes(imageId);
    await this.#addBlob(imageId, sizeBytes, created, () => this.#store.blobs.openRead(imageId));
    const blobs = layers.map((layer) => ({
      digest: layer.diffId,
      sizeBytes: layer.tarSizeBytes,
      mediaType: MEDIA_TYPES.layer,
    }));
    const manifest = makeManifest({ digest: imageId, sizeBytes }, blobs);
    const digest = digestOf(manifest);
    await this.#addBlob(digest, manifest.length, created, () => manifest);
    const variant = config.variant === undefined ? {} : { variant: config.variant };
    const platform = { architecture: config.architecture, os: config.os, ...variant };
    const root = { mediaType: MEDIA_TYPES.manifest, digest, size: manifest.length, platform };
    const written = blobs.map(({ mediaType, sizeBytes: size, digest: of }) => ({ mediaType, size, digest: of }));
    return { root, imageId, names, layers: written };
  }

  async #writeLayer(layer: Layer, created: bigint): Promise<void> {
    const open = (): Readable => decompress(this.#store.blobs.openRead(layer.blobDigest));
    await this.#addBlob(layer.diffId, layer.tarSizeBytes, created, () => verified(open(), layer.diffId));
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

function createdNano(config: oci.ImageConfig): bigint {
  return config.created === undefined ? 0n : (parseRfc3339Nano(config.created) ?? 0n);
}

/** Passes content on and fails at its end if it is not what it should be: better no archive than a wrong one. */
async function* verified(content: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest('hex')}` !== digest) {
    throw new EngineError('dataLoss', 'BLOB_DAMAGED', `the stored content of layer ${digest} is damaged`);
  }
}

function toIndex(images: readonly Written[]): oci.Index {
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: images.flatMap(({ root, names }) => {
      if (names.length === 0) return [root];
      return names.map((name) => ({ ...root, annotations: { ...root.annotations, ...toAnnotations(name) } }));
    }),
  };
}

function toAnnotations(name: ImageReference): Record<string, string> {
  const full = `${name.domain}/${name.path}:${name.tag ?? ''}`;
  return { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': name.tag ?? '' };
}

function toManifestEntry({ imageId, names, layers }: Written): Record<string, unknown> {
  const sources = layers.map(({ mediaType, size, digest }) => [digest, { mediaType, size, digest }]);
  return {
    Config: blobName(imageId),
    RepoTags: names.length === 0 ? null : names.map(familiarReference),
    Layers: layers.map((layer) => blobName(layer.digest)),
    ...(layers.length === 0 ? {} : { LayerSources: Object.fromEntries(sources) as Record<string, unknown> }),
  };
}

/** Names to the topmost layer, for tools that still read this. */
function toRepositories(images: readonly Written[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { imageId, names, layers } of images) {
    const top = (layers.at(-1)?.digest ?? imageId).slice('sha256:'.length);
    for (const name of names) {
      const tags = (repositories[familiarName(name)] ??= {});
      tags[name.tag ?? ''] = top;
    }
  }
  return repositories;
}
