import { failpoint, formatRfc3339Nano, nowNano } from '#lib';
import type { ChainId, Digest, oci } from '#spec';
import { chainIdOf, type ImageLayer, type IngestedFile, type Lease, type Store, type UnpackedLayer } from '#store';
import { invalidImageArchive } from './errors.ts';

/** A layer of an image that is being added. */
export interface NewLayer {
  diffId: Digest;
  blob: { digest: Digest; sizeBytes: number; mediaType: string };
  /** The blob's bytes, if they may be new here; without it the blob must be in the store. */
  file?: (() => Promise<IngestedFile>) | undefined;
  /** Unpacking that has begun already. Asked at most once; the layer takes the tree over. */
  unpacked?: (() => Promise<UnpackedLayer> | undefined) | undefined;
}

export interface NewImage {
  /** The configuration's exact bytes: their digest is the image's ID. */
  config: Uint8Array;
  layers: readonly NewLayer[];
  /** The manifest it came with; one is made otherwise. */
  manifest?: Uint8Array | undefined;
  parentId?: Digest | undefined;
  /** Full names to give it in the same transaction. */
  references: readonly string[];
}

export interface AddedImage {
  id: Digest;
  /** Whether the store did not have it. */
  isNew: boolean;
  /** Names that belonged to another image before. */
  moved: { reference: string; from: Digest }[];
}

export const MEDIA_TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

/** The manifest of an image that came without one. */
export function makeManifest(
  config: { digest: Digest; sizeBytes: number },
  layers: readonly NewLayer['blob'][],
): Buffer {
  const manifest: oci.Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: config.digest, size: config.sizeBytes },
    layers: layers.map(({ mediaType, digest, sizeBytes }) => ({ mediaType, digest, size: sizeBytes })),
  };
  return Buffer.from(JSON.stringify(manifest));
}

/**
 * Adds images to the store: blobs first, then layers from the bottom, then the rows in one transaction. What it has put
 * there is pinned by the caller's lease until then, and swept later if it never comes so far.
 */
export class Registrar {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async add(image: NewImage, lease: Lease, signal?: AbortSignal): Promise<AddedImage> {
    const layers = await this.#addLayers(image.layers, lease, signal);
    const id = await this.#store.blobs.put(image.config, (digest) => lease.pinBlob(digest));
    const config = { digest: id, sizeBytes: image.config.byteLength };
    const manifest =
      image.manifest ??
      makeManifest(
        config,
        image.layers.map((layer) => layer.blob),
      );
    const manifestDigest = await this.#store.blobs.put(manifest, (digest) => lease.pinBlob(digest));
    signal?.throwIfAborted();
    failpoint('image-before-commit');
    const now = formatRfc3339Nano(nowNano());
    const added = this.#store.transaction((): AddedImage => {
      const isNew = this.#store.images.add({ id, manifestDigest, parentId: image.parentId, addedAt: now }, layers);
      const moved = image.references.flatMap((reference) => {
        const from = this.#store.images.tag(reference, id, now);
        return from === undefined || from === id ? [] : [{ reference, from }];
      });
      return { id, isNew, moved };
    });
    failpoint('image-after-commit');
    return added;
  }

  async #addLayers(wanted: readonly NewLayer[], lease: Lease, signal: AbortSignal | undefined): Promise<ImageLayer[]> {
    const layers: ImageLayer[] = [];
    let parent: ChainId | undefined;
    for (const layer of wanted) {
      const chainId = chainIdOf(parent, layer.diffId);
      lease.pinBlob(layer.blob.digest);
      lease.pinLayer(chainId);
      await this.#addLayer(layer, parent, chainId, signal);
      failpoint('image-layer-added');
      layers.push({ chainId, blobDigest: layer.blob.digest });
      parent = chainId;
    }
    return layers;
  }

  async #addLayer(
    layer: NewLayer,
    parent: ChainId | undefined,
    chainId: ChainId,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { blobs, layers } = this.#store;
    // The unpacking that has begun reads the file where it is now, so it ends before the file moves.
    const isKnown = layers.find(chainId) !== undefined;
    const unpacked = isKnown ? undefined : await layer.unpacked?.();
    if (layer.file)
      await blobs.commit(await layer.file(), { digest: layer.blob.digest, sizeBytes: layer.blob.sizeBytes });
    else if (!blobs.has(layer.blob.digest)) throw invalidImageArchive(`layer ${layer.blob.digest} is missing`);
    const { diffId } = layer;
    const source = unpacked && ((): Promise<UnpackedLayer> => Promise.resolve(unpacked));
    await layers.ensure({ parent, diffId, blobDigest: layer.blob.digest }, source, signal);
  }
}
