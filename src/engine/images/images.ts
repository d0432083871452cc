import type { Readable } from 'node:stream';
import { EngineError } from '#errors';
import { formatRfc3339Nano, nowNano } from '#lib';
import {
  familiarReference,
  isTag,
  parseReference,
  withDefaultTag,
  formatReference,
  type ChainId,
  type DeleteResponseItem,
  type Digest,
  type HistoryEntry,
  type ImageInspect,
  type ImageSummary,
  type oci,
  type ProgressLine,
  type PruneImagesResponse,
} from '#spec';
import type { ImageRecord, Store, StoredImage } from '#store';
import { builtLayers } from './built-layers.ts';
import { Catalog, parsePlatformOption } from './catalog.ts';
import { emitById, imageAttributes, type EmitImageEvent } from './events.ts';
import { importImage, parseTarget, type ImportRequest } from './import.ts';
import { isObject, MAX_JSON_BYTES, parseJsonObject, stringOr } from './json.ts';
import { listImages } from './listing.ts';
import { load } from './load/load.ts';
import { manifestSummaries } from './manifest-views.ts';
import { addLayeredImage } from './new-layer-image.ts';
import { reportProgress } from './progress.ts';
import { pruneImages } from './prune.ts';
import { MEDIA_TYPES, Registrar, type NewLayer } from './registrar.ts';
import { needsForce, removePlatform } from './remove-platform.ts';
import { Remover, type ImageUser } from './remove.ts';
import { pinImage, readSaved } from './save-request.ts';
import { writeImages } from './save.ts';
import { Variants } from './variants.ts';
import { toHistory, toImageInspect } from './wire.ts';

export interface ImagesOptions {
  store: Store;
  emit: EmitImageEvent;
  /** All containers made from the image, running or not. Synchronous, so that nothing changes between asking and removing. */
  containersUsing: (imageId: Digest) => readonly ImageUser[];
}

/** What `commit` makes an image of. */
export interface CommitImageRequest {
  /** Image the container was made from, if it still is there. */
  parentId: Digest | undefined;
  /** The container's changes as a layer tar (`pack` with `overlay-upper`). */
  tar: AsyncIterable<Uint8Array>;
  run: oci.RunConfig;
  repo: string;
  tag: string;
  author: string;
  comment: string;
  createdBy: string;
  signal: AbortSignal;
}

/** What `build` adds. */
export interface BuiltImage {
  /** Exact bytes. */
  config: Uint8Array | undefined;
  baseId: Digest | undefined;
  /** All, from the bottom, the base's first; in the store and pinned. */
  layers: readonly ChainId[];
  /** Full names to give it. */
  references: readonly string[];
  signal: AbortSignal;
}

type Filters = ReadonlyMap<string, readonly string[]>;

/** The use cases of images. References are names, IDs, or unique ID prefixes; errors carry Docker's texts. */
export class Images {
  readonly #store: Store;
  readonly #emit: EmitImageEvent;
  readonly #containersUsing: ImagesOptions['containersUsing'];
  readonly #catalog: Catalog;
  readonly #registrar: Registrar;
  readonly #remover: Remover;
  readonly #variants: Variants;

  constructor(options: ImagesOptions) {
    this.#store = options.store;
    this.#emit = options.emit;
    this.#containersUsing = options.containersUsing;
    this.#catalog = new Catalog(options.store);
    this.#registrar = new Registrar(options.store);
    this.#remover = new Remover({ ...options, catalog: this.#catalog });
    this.#variants = new Variants(options.store, this.#catalog, this.#registrar);
  }

  /**
   * The image to make a container from.
   *
   * @param platform - empty for any.
   * @throws {@link EngineError} notFound (`No such image: x:latest`), also when the image is for another platform.
   */
  async resolve(ref: string, platform = ''): Promise<StoredImage> {
    return await this.#catalog.stored(await this.#get(ref, platform));
  }

  async list(options: {
    all: boolean;
    filters: Filters;
    sharedSize: boolean;
    manifests?: boolean;
  }): Promise<ImageSummary[]> {
    const { manifests = false } = options;
    return await listImages(this.#parts(), { ...options, manifests, countContainers: true });
  }

  async inspect(ref: string, options: { platform: string; manifests?: boolean }): Promise<ImageInspect> {
    const { manifests = false, platform } = options;
    const image = await this.#get(ref, platform);
    const inspected = toImageInspect(await this.#catalog.view(image));
    if (platform !== '') inspected.Descriptor = await this.#catalog.descriptor(image.manifestDigest);
    if (manifests) inspected.Manifests = await manifestSummaries(this.#parts(), image);
    return inspected;
  }

  async history(ref: string, options: { platform: string }): Promise<HistoryEntry[]> {
    const image = await this.#get(ref, options.platform);
    const sizes = this.#catalog.layers(image.id).map((layer) => layer.sizeBytes);
    return toHistory(await this.#catalog.view(image), sizes);
  }

  async tag(ref: string, repo: string, tag: string): Promise<void> {
    const target = parseReference(repo);
    if (target.digest !== undefined) {
      throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'refusing to create a tag with a digest reference');
    }
    if (tag !== '' && !isTag(tag)) throw new EngineError('invalidArgument', 'INVALID_TAG', 'invalid tag format');
    const name = withDefaultTag(tag === '' ? target : { ...target, tag });
    const { id } = await this.#get(ref, '');
    const config = await this.#catalog.config(id);
    const image = this.#store.transaction(() => {
      // Looked up again: it may have gone meanwhile.
      const { index } = this.#catalog.locate(ref);
      const found = this.#catalog.get(ref);
      this.#store.images.tag(formatReference(name), found.id, formatRfc3339Nano(nowNano()), index);
      return found;
    });
    this.#emit('tag', image.id, imageAttributes(familiarReference(name), config));
  }

  async remove(
    ref: string,
    options: { force: boolean; noPrune: boolean; platforms: string[] },
  ): Promise<DeleteResponseItem[]> {
    const { index } = this.#catalog.locate(ref);
    if (index !== undefined && options.platforms.length > 0) return await this.#removePlatforms(ref, index, options);
    for (const platform of options.platforms) await this.#get(ref, platform);
    const { items } = await this.#remover.remove(ref, { force: options.force, prune: !options.noPrune });
    return items;
  }

  async #removePlatforms(
    ref: string,
    index: Digest,
    options: { force: boolean; noPrune: boolean; platforms: string[] },
  ): Promise<DeleteResponseItem[]> {
    if (!options.force) throw needsForce();
    const items: DeleteResponseItem[] = [];
    for (const platform of options.platforms) {
      const parts = { ...this.#parts(), variants: this.#variants };
      const removed =
        (await removePlatform(parts, ref, index, platform)) ??
        (await this.#remover.remove(ref, { force: true, prune: !options.noPrune })).items;
      items.push(...removed);
    }
    return items;
  }

  async prune(filters: Filters): Promise<PruneImagesResponse> {
    return await pruneImages({ ...this.#parts(), remover: this.#remover }, filters);
  }

  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  load(
    body: Readable,
    options: { quiet: boolean; platform: string; signal: AbortSignal },
  ): AsyncGenerator<ProgressLine, void, undefined> {
    return reportProgress(async (report, signal) => {
      const platform = options.platform === '' ? undefined : parsePlatformOption(options.platform);
      await load(this.#parts(), body, { quiet: options.quiet, platform, signal }, report);
    }, options.signal);
  }

  /** A tar of the images; with a repository alone, of all its tags. The images stay until the stream has ended. */
  async save(refs: readonly string[], options: { platform: string; signal: AbortSignal }): Promise<Readable> {
    const lease = this.#store.leases.open();
    const done = (): void => {
      lease[Symbol.dispose]();
      this.#store.collectLater();
    };
    try {
      const parts = { ...this.#parts(), variants: this.#variants };
      const saved = await readSaved(parts, refs, options.platform, lease);
      for (const { imageId, config } of saved) emitById(this.#emit, 'save', imageId, config);
      return writeImages(this.#store, saved, options.signal, done);
    } catch (error) {
      done();
      throw error;
    }
  }

  import(request: ImportRequest & { signal: AbortSignal }): AsyncGenerator<ProgressLine, void, undefined> {
    return reportProgress(
      async (report, signal) => await importImage(this.#parts(), request, signal, report),
      request.signal,
    );
  }

  /** Makes an image of a container's changes; answers its ID. The event is the container's, so the caller's. */
  async commit(request: CommitImageRequest): Promise<Digest> {
    const target = parseTarget(request.repo, request.tag);
    try {
      using lease = this.#store.leases.open();
      const parent = request.parentId === undefined ? undefined : await this.#parentOf(request.parentId, lease);
      const { tar, run, author, comment, createdBy, signal } = request;
      const platform = parent?.config ?? { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
      const references = target === undefined ? [] : [target];
      const image = { tar, parent, platform, run, author, comment, createdBy, references };
      const added = await addLayeredImage(this.#store, this.#registrar, image, lease, signal);
      return added.id;
    } finally {
      await this.#store.collect();
    }
  }

  /**
   * Adds an image that a build made of layers in the store, the base image's among them; answers its ID. Without a configuration the base
   * itself gets the names.
   */
  async addBuilt(built: BuiltImage): Promise<Digest> {
    const { config, baseId, references, signal } = built;
    using lease = this.#store.leases.open();
    const base = baseId === undefined ? undefined : await this.#parentOf(baseId, lease);
    if (config === undefined) {
      if (!base) throw new TypeError('neither a configuration nor a base image');
      for (const reference of references) await this.tag(base.id, reference, '');
      return base.id;
    }
    const known = base?.layers ?? [];
    const added = await builtLayers(this.#store, built.layers.slice(known.length));
    const image = { config, layers: [...known, ...added], parentId: baseId, references };
    const { id } = await this.#registrar.add(image, lease, signal);
    const decoded = await this.#catalog.config(id);
    for (const reference of references) {
      this.#emit('tag', id, imageAttributes(familiarReference(parseReference(reference)), decoded));
    }
    return id;
  }

  /** What images hold on disk: unpacked layers and the blobs they came from. */
  async diskUsage(): Promise<{ Images: ImageSummary[]; LayersSize: number }> {
    const options = {
      all: false,
      filters: new Map<string, string[]>(),
      sharedSize: true,
      countContainers: true,
      manifests: false,
    };
    const images = await listImages(this.#parts(), options);
    const layersBytes = this.#store.layers.list().reduce((sum, layer) => sum + layer.sizeBytes, 0);
    return { Images: images, LayersSize: layersBytes + (await this.#store.blobs.totalBytes()) };
  }

  /** How many images there are, for `info`. */
  count(): number {
    return this.#store.images.list().length;
  }

  async #get(ref: string, platform: string): Promise<ImageRecord> {
    const { image } = await this.#variants.choose(ref, platform);
    return image;
  }

  async #parentOf(
    id: Digest,
    lease: ReturnType<Store['leases']['open']>,
  ): Promise<{ id: Digest; config: oci.ImageConfig; layers: NewLayer[] }> {
    const image = this.#catalog.get(id);
    pinImage(this.#parts(), image, lease);
    const manifest = parseJsonObject(
      await this.#store.blobs.read(image.manifestDigest, MAX_JSON_BYTES),
      'the manifest',
    );
    const descriptors = Array.isArray(manifest['layers']) ? manifest['layers'].filter(isObject) : [];
    const places = this.#store.images.layers(id);
    const layers = this.#catalog.layers(id).map((layer, index): NewLayer => {
      const digest = places[index]?.blobDigest ?? layer.blobDigest;
      const mediaType = stringOr(descriptors[index]?.['mediaType'], MEDIA_TYPES.layer);
      return { diffId: layer.diffId, blob: { digest, sizeBytes: this.#store.blobs.sizeBytes(digest), mediaType } };
    });
    return { id, config: await this.#catalog.config(id), layers };
  }

  #parts(): {
    store: Store;
    catalog: Catalog;
    registrar: Registrar;
    emit: EmitImageEvent;
    containersUsing: ImagesOptions['containersUsing'];
  } {
    return {
      store: this.#store,
      catalog: this.#catalog,
      registrar: this.#registrar,
      emit: this.#emit,
      containersUsing: this.#containersUsing,
    };
  }
}

/** The image use cases on an open store. */
export function openImages(options: ImagesOptions): Images {
  return new Images(options);
}
