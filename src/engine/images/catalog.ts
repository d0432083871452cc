import { EngineError } from '#errors';
import { ZERO_TIME } from '#lib';
import {
  familiarReference,
  formatReference,
  normalizePlatform,
  parseAnyReference,
  parsePlatform,
  parseReference,
  repositoryName,
  withDefaultTag,
  type Digest,
  type ImageReference,
  type oci,
} from '#spec';
import type { ImageRecord, KeptManifest, Layer, Store, StoredImage } from '#store';
import { noSuchImage } from './errors.ts';
import { decodeImageConfig } from './image-config.ts';
import { isObject, MAX_JSON_BYTES, parseJsonObject, stringOr } from './json.ts';
import { MEDIA_TYPES } from './registrar.ts';
import type { ImageView } from './wire.ts';

/** What a reference means. */
export interface Located {
  /** Undefined for one that is kept, but not unpacked. */
  image: ImageRecord | undefined;
  /** The index that the image stands for. */
  index: Digest | undefined;
  /** The one manifest of an index that was asked for by its digest. */
  kept?: { index: Digest; entry: KeptManifest };
}

/** Reads what the store has: names to images, images to what is shown of them. */
export class Catalog {
  readonly #store: Store;
  /** Decoded configurations; they never change. */
  readonly #configs: Map<Digest, oci.ImageConfig>;
  /** Descriptors of manifests and indexes. */
  readonly #descriptors: Map<Digest, oci.Descriptor>;

  constructor(store: Store) {
    this.#store = store;
    this.#configs = new Map();
    this.#descriptors = new Map();
  }

  /**
   * The image that a name, ID or ID prefix means.
   *
   * @throws {@link EngineError} invalidArgument for a malformed name, notFound with Docker's text.
   */
  get(ref: string): ImageRecord {
    const { image } = this.locate(ref);
    if (!image) throw noSuchImage(ref);
    return image;
  }

  /**
   * What a name, ID or ID prefix means. The ID of an image that an index means is taken for the index.
   *
   * @throws {@link EngineError} invalidArgument for a malformed name, notFound with Docker's text.
   */
  locate(ref: string): Located {
    const parsed = parseAnyReference(ref);
    if (parsed.kind === 'digest') {
      const image = this.#store.images.find(parsed.digest);
      if (image) return { image, index: image.indexDigest };
      const kept = this.#findKept(parsed.digest);
      if (!kept) throw noSuchImage(parsed.digest);
      return { image: undefined, index: undefined, kept };
    }
    const located = this.#locateNamed(parsed.reference);
    if (located) return located;
    const image = this.#store.images.findByPrefix(ref);
    if (!image) throw noSuchImage(familiarReference(withDefaultTag(parsed.reference)));
    return { image, index: image.indexDigest };
  }

  /** The image of a name. With both tag and digest, the digest decides. */
  findNamed(reference: ImageReference): ImageRecord | undefined {
    return this.#locateNamed(reference)?.image;
  }

  /** An image that is kept but not unpacked. */
  #findKept(id: Digest): Located['kept'] {
    const [index] = this.#store.indexes.containing(id);
    if (index === undefined) return undefined;
    const entry = this.#store.indexes.entries(index).find((each) => each.imageId === id);
    return entry && { index, entry };
  }

  #locateNamed(reference: ImageReference): Located | undefined {
    const target = this.#store.images.target(canonicalName(reference));
    if (target) return { image: this.#store.images.find(target.imageId), index: target.indexDigest };
    return reference.digest === undefined ? undefined : this.#locateDigest(reference, reference.digest);
  }

  /** A digest that no pull gave the repository as a name: of an index that one of its tags points at, or of a manifest. */
  #locateDigest(repository: ImageReference, digest: Digest): Located | undefined {
    const { images, indexes } = this.#store;
    const isIn = (references: readonly string[]): boolean =>
      references.some((text) => repositoryName(parseReference(text)) === repositoryName(repository));
    const meant = indexes.has(digest) && isIn(images.referencesOf(digest)) ? images.meantBy(digest) : undefined;
    if (meant !== undefined) return { image: images.find(meant), index: digest };
    for (const index of indexes.listing(digest)) {
      const entry = indexes.entries(index).find((each) => each.manifestDigest === digest);
      if (entry?.imageId === undefined || !isIn(images.referencesOf(index))) continue;
      return { image: images.find(entry.imageId), index: undefined, kept: { index, entry } };
    }
    const image = images.withManifest(digest).find(({ id }) => isIn(images.references(id)));
    return image && { image, index: undefined };
  }

  /** @throws {@link EngineError} dataLoss when the configuration is gone. */
  async config(id: Digest): Promise<oci.ImageConfig> {
    const cached = this.#configs.get(id);
    if (cached) return cached;
    const config = decodeImageConfig(await this.#store.blobs.read(id, MAX_JSON_BYTES));
    this.#configs.set(id, config);
    return config;
  }

  /** The image was removed. */
  forget(id: Digest): void {
    this.#configs.delete(id);
    this.#descriptors.clear();
  }

  /** The descriptor of a stored manifest or index. @throws {@link EngineError} dataLoss when it is gone. */
  async descriptor(digest: Digest): Promise<oci.Descriptor> {
    const cached = this.#descriptors.get(digest);
    if (cached) return cached;
    const bytes = await this.#store.blobs.read(digest, MAX_JSON_BYTES);
    const json = parseJsonObject(bytes, `manifest ${digest}`);
    const fallback = 'manifests' in json ? MEDIA_TYPES.index : MEDIA_TYPES.manifest;
    const descriptor = { mediaType: stringOr(json['mediaType'], fallback), digest, size: bytes.length };
    this.#descriptors.set(digest, descriptor);
    return descriptor;
  }

  /** Its layers from the bottom. */
  layers(id: Digest): Layer[] {
    return this.#store.images.layers(id).map((layer) => this.#store.layers.get(layer.chainId));
  }

  #namesOf(id: Digest): string[] {
    const { images, indexes } = this.#store;
    const own = images.references(id);
    if (own.length > 0) return own;
    return indexes.containing(id).flatMap((index) => images.referencesOf(index));
  }

  async stored(image: ImageRecord): Promise<StoredImage> {
    const layers = this.layers(image.id);
    return {
      id: image.id,
      config: await this.config(image.id),
      chainId: layers.at(-1)?.chainId,
      sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    };
  }

  /**
   * @param references - full names, if the caller has them already. An image that is one of another's platforms has the
   *   names of their index.
   */
  async view(image: ImageRecord, references?: readonly string[]): Promise<ImageView> {
    const config = await this.config(image.id);
    const descriptor = await this.descriptor(image.indexDigest ?? image.manifestDigest);
    const names = (references ?? this.#namesOf(image.id)).map(parseReference);
    const layers = this.layers(image.id);
    const dirs = layers.map((layer) => this.#store.layers.path(layer)).toReversed();
    return {
      id: image.id,
      descriptor,
      config,
      repoTags: names.filter((name) => name.digest === undefined).map(familiarReference),
      repoDigests: names.filter((name) => name.digest !== undefined).map(familiarReference),
      parentId: image.parentId ?? '',
      sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
      lastTaggedAt: image.taggedAt ?? ZERO_TIME,
      graphDriverData: graphDriverData(dirs),
    };
  }
}

/** Topmost directory first, as overlay2 shows an image. */
function graphDriverData(dirs: readonly string[]): Record<string, string> | null {
  const [upper, ...lower] = dirs;
  if (upper === undefined) return null;
  return { ...(lower.length > 0 ? { LowerDir: lower.join(':') } : {}), UpperDir: upper };
}

/** The key of a name in the database: with its default tag, without a tag beside a digest. */
export function canonicalName(reference: ImageReference): string {
  const { domain, path, digest } = reference;
  return formatReference(digest === undefined ? withDefaultTag(reference) : { domain, path, digest });
}

/**
 * The `platform` parameter: JSON of an OCI platform (API 1.48 on) or `os/architecture/variant`.
 *
 * @throws {@link EngineError} invalidArgument.
 */
export function parsePlatformOption(text: string): oci.Platform {
  if (!text.startsWith('{')) return parsePlatform(text);
  const parsed = parseOrUndefined(text);
  if (!isObject(parsed) || stringOr(parsed['os'], '') === '' || stringOr(parsed['architecture'], '') === '') {
    throw new EngineError('invalidArgument', 'INVALID_PLATFORM', `failed to parse platform: ${text}`);
  }
  const variant = stringOr(parsed['variant'], '');
  return normalizePlatform({
    os: stringOr(parsed['os'], ''),
    architecture: stringOr(parsed['architecture'], ''),
    ...(variant === '' ? {} : { variant }),
  });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
