import { EngineError } from '#errors';
import { ZERO_TIME } from '#lib';
import {
  familiarReference,
  formatPlatform,
  formatReference,
  matchesPlatform,
  normalizePlatform,
  parseAnyReference,
  parsePlatform,
  parseReference,
  withDefaultTag,
  type Digest,
  type ImageReference,
  type oci,
} from '#spec';
import type { ImageRecord, Layer, Store, StoredImage } from '#store';
import { noSuchImage, platformMismatch } from './errors.ts';
import { decodeImageConfig } from './image-config.ts';
import { isObject, MAX_JSON_BYTES, stringOr } from './json.ts';
import type { ImageView } from './wire.ts';

/** Reads what the store has: names to images, images to what is shown of them. */
export class Catalog {
  readonly #store: Store;
  /** Decoded configurations; they never change. */
  readonly #configs: Map<Digest, oci.ImageConfig>;

  constructor(store: Store) {
    this.#store = store;
    this.#configs = new Map();
  }

  /**
   * The image that a name, ID or ID prefix means.
   *
   * @throws {@link EngineError} invalidArgument for a malformed name, notFound with Docker's text.
   */
  get(ref: string): ImageRecord {
    const parsed = parseAnyReference(ref);
    if (parsed.kind === 'digest') {
      const image = this.#store.images.find(parsed.digest);
      if (!image) throw noSuchImage(parsed.digest);
      return image;
    }
    const image = this.findNamed(parsed.reference) ?? this.#store.images.findByPrefix(ref);
    if (!image) throw noSuchImage(familiarReference(withDefaultTag(parsed.reference)));
    return image;
  }

  /** The image of a name. With both tag and digest, the digest decides. */
  findNamed(reference: ImageReference): ImageRecord | undefined {
    const id = this.#store.images.resolve(canonicalName(reference));
    return id && this.#store.images.find(id);
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
  }

  /** Its layers from the bottom. */
  layers(id: Digest): Layer[] {
    return this.#store.images.layers(id).map((layer) => this.#store.layers.get(layer.chainId));
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

  /** @param references - full names, if the caller has them already. */
  async view(image: ImageRecord, references?: readonly string[]): Promise<ImageView> {
    const config = await this.config(image.id);
    const names = (references ?? this.#store.images.references(image.id)).map(parseReference);
    const layers = this.layers(image.id);
    const dirs = layers.map((layer) => this.#store.layers.path(layer)).toReversed();
    return {
      id: image.id,
      config,
      repoTags: names.filter((name) => name.digest === undefined).map(familiarReference),
      repoDigests: names.filter((name) => name.digest !== undefined).map(familiarReference),
      parentId: image.parentId ?? '',
      sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
      lastTaggedAt: image.taggedAt ?? ZERO_TIME,
      graphDriverData: graphDriverData(dirs),
    };
  }

  /** @throws {@link EngineError} notFound when the image is for another platform than `platform` (empty: any). */
  async checkPlatform(ref: string, image: ImageRecord, platform: string): Promise<void> {
    if (platform === '') return;
    const wanted = parsePlatformOption(platform);
    const actual = await this.config(image.id);
    if (matchesPlatform(wanted, actual)) return;
    throw platformMismatch(ref, formatPlatform(normalizePlatform(actual)), formatPlatform(wanted));
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
