import { failpoint, formatRfc3339Nano, nowNano } from '#lib';
import { hostPlatform, type ChainId, type Digest, type oci } from '#spec';
import {
  chainIdOf,
  type ImageLayer,
  type IngestedFile,
  type Lease,
  type IndexEntry,
  type KeptManifest,
  type Store,
  type UnpackedLayer,
} from '#store';
import { decodeIndex, isFor } from './descriptors.ts';
import { invalidImageArchive, noSuchImage } from './errors.ts';
import { decodeImageConfig } from './image-config.ts';

/** A layer of an image that is being added. */
export interface NewLayer {
  diffId: Digest;
  blob: { digest: Digest; sizeBytes: number; mediaType: string };
  /** The blob's bytes, if they may be new here; without it the blob must be in the store. */
  file?: (() => Promise<IngestedFile>) | undefined;
  /** Unpacking that has begun already. Asked at most once; the layer takes the tree over. */
  unpacked?: (() => Promise<UnpackedLayer> | undefined) | undefined;
  /** Waited for first: when it resolves, `file` and `unpacked` may be asked, or the blob is in the store. */
  ready?: (() => Promise<void>) | undefined;
  /** The layer is in the store, and those below it. */
  added?: (() => void) | undefined;
}

export interface NewImage {
  /** The configuration's exact bytes: their digest is the image's ID. */
  config: Uint8Array;
  layers: readonly NewLayer[];
  /** The manifest it came with; one is made otherwise. */
  manifest?: Uint8Array | undefined;
  /**
   * The exact bytes of the index that `manifest` was chosen from. The names then point at the index: the image joins what is here of it
   * already, and the host's platform, if it is here, is what they mean where none is asked for.
   */
  index?: Uint8Array | undefined;
  /** What else is here of the index: kept as blobs, unpacked when it is wanted. */
  kept?: readonly NewManifest[] | undefined;
  parentId?: Digest | undefined;
  /** Full names to give it in the same transaction. */
  references: readonly string[];
}

/** A manifest of an index that is kept but not unpacked: for another platform, an attestation, an artifact. */
export interface NewManifest {
  digest: Digest;
  /** The config's digest, of an image. */
  imageId: Digest | undefined;
  /** The manifest, and all it refers to. Without a file a blob must be in the store. */
  blobs: readonly { digest: Digest; sizeBytes: number; file?: (() => Promise<IngestedFile>) | undefined }[];
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
    const { blobs } = this.#store;
    const pin = (digest: Digest): void => lease.pinBlob(digest);
    const layers = await this.#addLayers(image.layers, lease, signal);
    const id = await blobs.put(image.config, pin);
    const config = { digest: id, sizeBytes: image.config.byteLength };
    const manifest =
      image.manifest ??
      makeManifest(
        config,
        image.layers.map((layer) => layer.blob),
      );
    const manifestDigest = await blobs.put(manifest, pin);
    const indexDigest = image.index === undefined ? undefined : await blobs.put(image.index, pin);
    failpoint('image-manifests-added');
    for (const kept of image.kept ?? []) {
      await this.#addBlobs(kept, lease, signal);
      failpoint('image-manifest-kept');
    }
    signal?.throwIfAborted();
    failpoint('image-before-commit');
    const now = formatRfc3339Nano(nowNano());
    const row = { id, manifestDigest, parentId: image.parentId, addedAt: now };
    const added = this.#store.transaction((): AddedImage => {
      const isNew = this.#store.images.add(row, layers);
      if (!isNew && image.manifest) this.#takeManifest(id, manifestDigest, layers);
      const mean = indexDigest === undefined ? id : this.#joinIndex(indexDigest, row, layers, image);
      const moved = this.#tag(image.references, mean, now, indexDigest);
      if (indexDigest !== undefined) this.#store.images.settleIndex(mean);
      return { id, isNew, moved };
    });
    failpoint('image-after-commit');
    return added;
  }

  /**
   * Adds an image that an index keeps as blobs only, unpacking its layers. What the index means stays.
   *
   * @throws {@link EngineError} notFound when the index went meanwhile.
   */
  async addKept(
    index: Digest,
    image: { manifestDigest: Digest; id: Digest; layers: readonly NewLayer[] },
    lease: Lease,
    signal?: AbortSignal,
  ): Promise<void> {
    const { id, manifestDigest } = image;
    for (const digest of [id, manifestDigest]) lease.pinBlob(digest);
    const layers = await this.#addLayers(image.layers, lease, signal);
    failpoint('image-before-kept-commit');
    const row = { id, manifestDigest, parentId: undefined, addedAt: formatRfc3339Nano(nowNano()) };
    this.#store.transaction(() => {
      const isKept = this.#store.indexes.entries(index).some((entry) => entry.imageId === id);
      if (!isKept) throw noSuchImage(id);
      this.#store.images.add(row, layers);
    });
  }

  /**
   * The image was here, and now came with a manifest of its own. A registry's digest is that of the manifest, so this one
   * is kept from now on, unless a name has the digest of the one before.
   */
  #takeManifest(id: Digest, manifest: Digest, layers: readonly ImageLayer[]): void {
    const { images } = this.#store;
    const before = images.find(id)?.manifestDigest;
    const isNamed = images.references(id).some((reference) => reference.endsWith(`@${before}`));
    if (before !== manifest && !isNamed) images.replaceManifest(id, manifest, layers);
  }

  #tag(references: readonly string[], id: Digest, now: string, index: Digest | undefined): AddedImage['moved'] {
    return references.flatMap((reference) => {
      const before = this.#store.images.tag(reference, id, now, index);
      if (before === undefined || before.imageId === id) return [];
      return [{ reference, from: before.imageId }];
    });
  }

  /** Answers the image that the index means from now on. */
  #joinIndex(
    index: Digest,
    image: { id: Digest; manifestDigest: Digest },
    layers: readonly ImageLayer[],
    { index: bytes = Buffer.alloc(0), kept = [], config }: NewImage,
  ): Digest {
    const { images, indexes } = this.#store;
    indexes.add(
      index,
      listing(decodeIndex(bytes), image.manifestDigest, {
        config,
        sizeBytes: this.#store.blobs.sizeBytes(image.manifestDigest),
      }),
    );
    const blobs = [image.id, ...layers.map((layer) => layer.blobDigest)];
    indexes.keep(index, image.manifestDigest, { imageId: image.id, blobs });
    for (const each of kept) {
      const digests = each.blobs.map((blob) => blob.digest);
      indexes.keep(index, each.digest, { imageId: each.imageId, blobs: digests });
    }
    const unpacked = indexes
      .entries(index)
      .filter((entry) => entry.imageId !== undefined && images.find(entry.imageId) !== undefined);
    const mean = chooseMeant(unpacked, hostPlatform(), images.meantBy(index))?.imageId ?? image.id;
    images.standFor(index, mean);
    return mean;
  }

  async #addBlobs(manifest: NewManifest, lease: Lease, signal: AbortSignal | undefined): Promise<void> {
    const { blobs } = this.#store;
    for (const { digest, sizeBytes, file } of manifest.blobs) {
      signal?.throwIfAborted();
      lease.pinBlob(digest);
      if (file) await blobs.commit(await file(), { digest, sizeBytes });
      else if (!blobs.has(digest)) throw invalidImageArchive(`blob ${digest} is missing`);
    }
  }

  async #addLayers(wanted: readonly NewLayer[], lease: Lease, signal: AbortSignal | undefined): Promise<ImageLayer[]> {
    const layers: ImageLayer[] = [];
    let parent: ChainId | undefined;
    for (const layer of wanted) {
      const chainId = chainIdOf(parent, layer.diffId);
      lease.pinBlob(layer.blob.digest);
      lease.pinLayer(chainId);
      await layer.ready?.();
      await this.#addLayer(layer, parent, chainId, signal);
      layer.added?.();
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

/** The host's platform if it is among them, else what it was, else the first. */
export function chooseMeant(
  entries: readonly KeptManifest[],
  host: oci.Platform,
  before: Digest | undefined,
): KeptManifest | undefined {
  return (
    entries.find((entry) => isFor(host, entry.descriptor)) ??
    entries.find((entry) => entry.imageId === before) ??
    entries[0]
  );
}

/** The entries, and the image's own where an index inside the index lists it. */
function listing(
  entries: readonly IndexEntry[],
  manifestDigest: Digest,
  image: { config: Uint8Array; sizeBytes: number },
): IndexEntry[] {
  if (entries.some((entry) => entry.manifestDigest === manifestDigest)) return [...entries];
  const { architecture, os, variant } = decodeImageConfig(image.config);
  const descriptor: oci.Descriptor = {
    mediaType: MEDIA_TYPES.manifest,
    digest: manifestDigest,
    size: image.sizeBytes,
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
  };
  return [...entries, { manifestDigest, kind: 'image', descriptor }];
}
