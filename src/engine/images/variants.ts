import { formatPlatform, matchesPlatform, normalizePlatform, type Digest, type oci } from '#spec';
import type { ImageRecord, KeptManifest, Store } from '#store';
import type { Catalog, Located } from './catalog.ts';
import { parsePlatformOption } from './catalog.ts';
import { isFor } from './descriptors.ts';
import { noSuchImage, platformMismatch, platformNotProvided } from './errors.ts';
import { checkLayerCount } from './load/archived-image.ts';
import { manifestLayers } from './manifest-layers.ts';
import type { NewLayer, Registrar } from './registrar.ts';

/** An image chosen from what a reference means. */
export interface Chosen {
  image: ImageRecord;
  /** The index it was chosen from, and stands for only where no platform was asked for. */
  index: Digest | undefined;
}

/**
 * Chooses among the platforms of an image. Images of an index are kept as blobs until one is wanted; then its layers are
 * unpacked and it becomes an image like any other.
 */
export class Variants {
  readonly #store: Store;
  readonly #catalog: Catalog;
  readonly #registrar: Registrar;

  constructor(store: Store, catalog: Catalog, registrar: Registrar) {
    this.#store = store;
    this.#catalog = catalog;
    this.#registrar = registrar;
  }

  /**
   * The image that `ref` means for a platform.
   *
   * @param platform - empty for what the name means without one: the host's, if it is here.
   * @throws {@link EngineError} notFound with Docker's texts; invalidArgument for a malformed name or platform.
   */
  async choose(ref: string, platform: string): Promise<Chosen> {
    const located = this.#catalog.locate(ref);
    const image = await this.#imageOf(ref, located);
    if (platform === '') return { image, index: located.index };
    const wanted = parsePlatformOption(platform);
    const { index } = located;
    const entry = index === undefined ? undefined : this.find(index, wanted);
    if (index !== undefined && entry) return { image: await this.unpack(index, entry), index };
    const actual = await this.#catalog.config(image.id);
    if (matchesPlatform(wanted, actual)) return { image, index };
    if (index !== undefined) throw platformNotProvided(ref, wanted);
    throw platformMismatch(ref, formatPlatform(normalizePlatform(actual)), formatPlatform(wanted));
  }

  async #imageOf(ref: string, { image, kept }: Located): Promise<ImageRecord> {
    if (image) return image;
    if (!kept) throw noSuchImage(ref);
    return await this.unpack(kept.index, kept.entry);
  }

  /** The image for a platform that is here of the index. */
  find(index: Digest, wanted: oci.Platform): KeptManifest | undefined {
    const here = this.#store.indexes.entries(index).filter((entry) => entry.imageId !== undefined);
    return here.find((entry) => isFor(wanted, entry.descriptor));
  }

  /** Makes an image of what an index keeps. Repeatable. @throws {@link EngineError} notFound when it is not here. */
  async unpack(index: Digest, entry: KeptManifest, signal?: AbortSignal): Promise<ImageRecord> {
    const { images, leases } = this.#store;
    const id = entry.imageId;
    if (id === undefined) throw noSuchImage(entry.manifestDigest);
    const known = images.find(id);
    if (known) return known;
    try {
      using lease = leases.open();
      for (const blob of this.#store.indexes.blobs(index, entry.manifestDigest)) lease.pinBlob(blob);
      const layers = await this.#layersOf(id, entry.manifestDigest);
      await this.#registrar.addKept(index, { id, manifestDigest: entry.manifestDigest, layers }, lease, signal);
    } catch (error) {
      await this.#store.collect();
      throw error;
    }
    const image = images.find(id);
    if (!image) throw noSuchImage(id);
    return image;
  }

  async #layersOf(id: Digest, manifestDigest: Digest): Promise<NewLayer[]> {
    const descriptors = await manifestLayers(this.#store, manifestDigest);
    const { rootfs } = await this.#catalog.config(id);
    checkLayerCount(rootfs.diff_ids, descriptors);
    return descriptors.flatMap(({ digest, size, mediaType }, position) => {
      const diffId = rootfs.diff_ids[position];
      return diffId === undefined ? [] : [{ diffId, blob: { digest, sizeBytes: size, mediaType } }];
    });
  }
}
