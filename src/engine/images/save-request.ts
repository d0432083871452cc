import {
  familiarReference,
  formatPlatform,
  formatReference,
  matchesPlatform,
  normalizePlatform,
  parseAnyReference,
  parseReference,
  repositoryName,
  withDefaultTag,
  type Digest,
  type ImageReference,
} from '#spec';
import type { ImageRecord, KeptManifest, Lease, Store } from '#store';
import { parsePlatformOption, type Catalog, type Located } from './catalog.ts';
import { isFor } from './descriptors.ts';
import { noSuchImage, platformMismatch, platformNotProvided } from './errors.ts';
import { manifestLayers } from './manifest-layers.ts';
import type { SavedImage } from './save.ts';
import type { Variants } from './variants.ts';

export interface SaveParts {
  store: Store;
  catalog: Catalog;
  variants: Variants;
}

/** What a reference of a request means. */
interface Found extends Located {
  ref: string;
  names: readonly ImageReference[];
}

/** Something to write, with all names that it was asked for under. */
interface Wanted {
  /** Written as it came, all of it or one manifest. */
  kept: { index: Digest; entry: KeptManifest | undefined } | undefined;
  image: ImageRecord | undefined;
  names: readonly ImageReference[];
}

/**
 * Reads all that `save` writes of the images, and pins it.
 *
 * @throws {@link EngineError} notFound with Docker's texts.
 */
export async function readSaved(
  parts: SaveParts,
  refs: readonly string[],
  platform: string,
  lease: Lease,
): Promise<SavedImage[]> {
  const wanted: Wanted[] = [];
  for (const ref of refs) for (const found of find(parts, ref)) wanted.push(await choose(parts, found, platform));
  const merged = mergeWanted(wanted);
  for (const each of merged) pin(parts, each, lease);
  const layers = merged.map(({ image, kept }) => (image && !kept ? parts.catalog.layers(image.id) : []));
  const saved: SavedImage[] = [];
  for (const [position, { image, kept, names }] of merged.entries()) {
    if (kept) saved.push({ ...(await readKept(parts, kept, image)), names });
    else if (image) {
      const config = await parts.catalog.config(image.id);
      saved.push({ kind: 'plain', imageId: image.id, config, layers: layers[position] ?? [], names });
    }
  }
  return saved;
}

/** One image for an ID or a full name; every tag for a repository alone. */
function find({ store, catalog }: SaveParts, ref: string): Found[] {
  const parsed = parseAnyReference(ref);
  if (parsed.kind === 'digest') return [one(catalog, ref, [])];
  const { reference } = parsed;
  if (reference.tag !== undefined || reference.digest !== undefined) {
    const isName = catalog.findNamed(reference) !== undefined && reference.digest === undefined;
    return [one(catalog, ref, isName ? [reference] : [])];
  }
  const repository = repositoryName(reference);
  const all = [...store.images.allReferences().values()].flat();
  const tags = tagsOf(all, repository).map((name) => one(catalog, formatReference(name), [name]));
  if (tags.length > 0) return tags;
  const image = store.images.findByPrefix(ref);
  if (!image) throw noSuchImage(familiarReference(withDefaultTag(reference)));
  return [{ ref, image, index: image.indexDigest, names: [] }];
}

function one(catalog: Catalog, ref: string, names: readonly ImageReference[]): Found {
  return { ...catalog.locate(ref), ref, names };
}

async function choose({ catalog, variants }: SaveParts, found: Found, platform: string): Promise<Wanted> {
  const { ref, image, index, names } = found;
  if (!image) return chooseKept(found, platform);
  if (platform === '') return { image, names, kept: index === undefined ? undefined : { index, entry: undefined } };
  const wanted = parsePlatformOption(platform);
  const entry = index === undefined ? undefined : variants.find(index, wanted);
  if (index !== undefined && entry) return { image: undefined, names, kept: { index, entry } };
  const actual = await catalog.config(image.id);
  if (matchesPlatform(wanted, actual)) return { image, names, kept: undefined };
  if (index !== undefined) throw platformNotProvided(ref, wanted);
  throw platformMismatch(ref, formatPlatform(normalizePlatform(actual)), formatPlatform(wanted));
}

/** A manifest of an index that was asked for by its digest and is no image yet. */
function chooseKept({ ref, kept, names }: Found, platform: string): Wanted {
  const wanted = platform === '' ? undefined : parsePlatformOption(platform);
  if (!kept || (wanted && !isFor(wanted, kept.entry.descriptor))) throw noSuchImage(ref);
  return { image: undefined, names, kept };
}

/** Joins requests for one image under several names; the order is that of the request. */
function mergeWanted(requests: readonly Wanted[]): Wanted[] {
  const byKey = new Map<string, Wanted>();
  for (const each of requests) {
    const key = [each.kept?.index, each.kept?.entry?.manifestDigest, each.image?.id].join(' ');
    const before = byKey.get(key)?.names ?? [];
    const all = new Map([...before, ...each.names].map((name) => [familiarReference(name), name]));
    byKey.set(key, { ...each, names: [...all.values()] });
  }
  return [...byKey.values()];
}

function pin(parts: SaveParts, { image, kept }: Wanted, lease: Lease): void {
  const { store } = parts;
  if (kept) for (const blob of blobsOf(store, kept)) lease.pinBlob(blob);
  if (image) pinImage(parts, image, lease);
}

/** Everything of an image. */
export function pinImage(
  { store, catalog }: Pick<SaveParts, 'store' | 'catalog'>,
  image: ImageRecord,
  lease: Lease,
): void {
  lease.pinBlob(image.id);
  lease.pinBlob(image.manifestDigest);
  for (const { chainId, blobDigest } of store.images.layers(image.id)) {
    lease.pinBlob(blobDigest);
    lease.pinLayer(chainId);
  }
  for (const layer of catalog.layers(image.id)) lease.pinBlob(layer.blobDigest);
}

function blobsOf(store: Store, { index, entry }: NonNullable<Wanted['kept']>): Digest[] {
  if (entry) return store.indexes.blobs(index, entry.manifestDigest);
  const entries = store.indexes.entries(index);
  return [index, ...new Set(entries.flatMap((each) => store.indexes.blobs(index, each.manifestDigest)))];
}

async function readKept(
  { store, catalog }: SaveParts,
  kept: NonNullable<Wanted['kept']>,
  image: ImageRecord | undefined,
): Promise<Omit<Extract<SavedImage, { kind: 'kept' }>, 'names'>> {
  const shown = kept.entry ?? store.indexes.entries(kept.index).find((entry) => entry.imageId === image?.id);
  const imageId = shown?.imageId;
  if (shown === undefined || imageId === undefined) throw noSuchImage(kept.index);
  const blobs = blobsOf(store, kept);
  const root = kept.entry?.descriptor ?? (await catalog.descriptor(kept.index));
  const layers = await manifestLayers(store, shown.manifestDigest);
  return { kind: 'kept', root, blobs, imageId, config: await catalog.config(imageId), layers };
}

/** The names of a repository that are tags, sorted. */
export function tagsOf(references: readonly string[], repository: string): ImageReference[] {
  const names = references.map(parseReference).filter((name) => name.digest === undefined);
  return names.filter((name) => repositoryName(name) === repository);
}
