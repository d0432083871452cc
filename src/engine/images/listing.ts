import type { ChainId, Digest, ImageSummary, ManifestSummary } from '#spec';
import type { ImageRecord, Store } from '#store';
import type { Catalog } from './catalog.ts';
import { compileImageFilter, matchingNames, parseDangling } from './image-filter.ts';
import { manifestSummaries, totalBytes } from './manifest-views.ts';
import type { ImageUser } from './remove.ts';
import { toImageSummary, type ImageView } from './wire.ts';

export interface ListingParts {
  store: Store;
  catalog: Catalog;
  containersUsing: (imageId: Digest) => readonly ImageUser[];
}

export interface ListingOptions {
  /** Also untagged images that others were made from. */
  all: boolean;
  filters: ReadonlyMap<string, readonly string[]>;
  sharedSize: boolean;
  countContainers: boolean;
  /** Also list every image's manifests, and count all of them into its size. */
  manifests: boolean;
}

/** `GET /images/json`: newest first. */
export async function listImages(parts: ListingParts, options: ListingOptions): Promise<ImageSummary[]> {
  const { store, catalog } = parts;
  const find = async (ref: string): Promise<ImageView> => await catalog.view(catalog.get(ref));
  const matches = await compileImageFilter(options.filters, { find });
  const references = store.images.allReferences();
  const images = store.images.list();
  const parents = new Set(images.map((image) => image.parentId));
  const platforms = store.indexes.imageIds();
  const users = options.sharedSize ? countLayerUsers(store, images) : undefined;
  const summaries: ImageSummary[] = [];
  for (const image of images) {
    const names = references.get(image.id) ?? [];
    const isVariant = names.length === 0 && image.indexDigest === undefined && platforms.has(image.id);
    if (isVariant) continue;
    const isIntermediate = names.length === 0 && parents.has(image.id);
    if (isIntermediate && (!options.all || wantsDangling(options.filters))) continue;
    const view = await findView(catalog, store, image, names);
    if (!view || !matches(view)) continue;
    const shared = users && sharedBytes(store, image.id, users);
    const containers = options.countContainers ? parts.containersUsing(image.id).length : undefined;
    summaries.push(
      toImageSummary(withMatchingNames(view, options.filters), {
        ...(shared === undefined ? {} : { sharedSizeBytes: shared }),
        ...(containers === undefined ? {} : { containers }),
        ...(options.manifests ? await withManifests(parts, image) : {}),
      }),
    );
  }
  return summaries.sort((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

async function withManifests(
  parts: ListingParts,
  image: ImageRecord,
): Promise<{ manifests: ManifestSummary[]; totalBytes: number; containers: number }> {
  const manifests = await manifestSummaries(parts, image);
  const containers = manifests.flatMap((manifest) => manifest.ImageData?.Containers ?? []).length;
  return { manifests, totalBytes: totalBytes(parts, image), containers };
}

function wantsDangling(filters: ListingOptions['filters']): boolean {
  const values = filters.get('dangling') ?? [];
  return values.length > 0 && parseDangling(values);
}

/** Undefined when the image was removed while the list was being made. */
async function findView(
  catalog: Catalog,
  store: Store,
  image: ImageRecord,
  names: readonly string[],
): Promise<ImageView | undefined> {
  try {
    return await catalog.view(image, names);
  } catch (error) {
    if (!store.images.find(image.id)) return undefined;
    throw error;
  }
}

/** With a `reference` filter only the names that match are shown. */
function withMatchingNames(view: ImageView, filters: ListingOptions['filters']): ImageView {
  const patterns = filters.get('reference') ?? [];
  if (patterns.length === 0) return view;
  return {
    ...view,
    repoTags: matchingNames(view.repoTags, patterns),
    repoDigests: matchingNames(view.repoDigests, patterns),
  };
}

function countLayerUsers(store: Store, images: readonly ImageRecord[]): Map<ChainId, number> {
  const users = new Map<ChainId, number>();
  for (const image of images) {
    for (const { chainId } of store.images.layers(image.id)) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  }
  return users;
}

/** Bytes in layers that other images have too. */
function sharedBytes(store: Store, id: Digest, users: ReadonlyMap<ChainId, number>): number {
  const shared = store.images.layers(id).filter(({ chainId }) => (users.get(chainId) ?? 0) > 1);
  return shared.reduce((sum, { chainId }) => sum + (store.layers.find(chainId)?.sizeBytes ?? 0), 0);
}
