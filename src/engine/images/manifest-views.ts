import type { Digest, ManifestSummary, oci } from '#spec';
import type { ImageRecord, KeptManifest, Store } from '#store';
import type { Catalog } from './catalog.ts';
import { attestedManifest } from './descriptors.ts';
import type { ImageUser } from './remove.ts';

export interface ManifestViewParts {
  store: Store;
  catalog: Catalog;
  containersUsing: (imageId: Digest) => readonly ImageUser[];
}

/** A manifest with the blobs that are here of it. */
interface Looked {
  entry: Pick<KeptManifest, 'kind' | 'descriptor' | 'imageId' | 'isHere'>;
  blobs: readonly Digest[];
}

function look(store: Store, image: ImageRecord, descriptor: oci.Descriptor): Looked[] {
  const { indexDigest } = image;
  if (indexDigest !== undefined) {
    const entries = store.indexes.entries(indexDigest);
    return entries.map((entry) => ({ entry, blobs: store.indexes.blobs(indexDigest, entry.manifestDigest) }));
  }
  const layers = store.images.layers(image.id).map((layer) => layer.blobDigest);
  const entry = { kind: 'image', descriptor, imageId: image.id, isHere: true } as const;
  return [{ entry, blobs: [image.manifestDigest, image.id, ...layers] }];
}

/**
 * The manifests of an image: what its index lists, here or not; the one it has where it came without an index. Sizes count
 * what is here.
 */
export async function manifestSummaries(parts: ManifestViewParts, image: ImageRecord): Promise<ManifestSummary[]> {
  const looked = look(parts.store, image, await parts.catalog.descriptor(image.manifestDigest));
  return await Promise.all(looked.map((each) => toSummary(parts, each)));
}

/** What the manifests keep on disk; blobs and layers that they share count once. */
export function totalBytes({ store, catalog }: ManifestViewParts, image: ImageRecord): number {
  const blobs = new Set<Digest>();
  const layers = new Map<string, number>();
  if (image.indexDigest !== undefined) blobs.add(image.indexDigest);
  const looked = look(store, image, { mediaType: '', digest: image.manifestDigest, size: 0 });
  for (const { entry, blobs: own } of looked) {
    for (const blob of own) blobs.add(blob);
    if (entry.imageId === undefined || !store.images.find(entry.imageId)) continue;
    for (const layer of catalog.layers(entry.imageId)) layers.set(layer.chainId, layer.sizeBytes);
  }
  return contentBytes(store, [...blobs]) + [...layers.values()].reduce((sum, size) => sum + size, 0);
}

function contentBytes(store: Store, blobs: readonly Digest[]): number {
  const present = [...new Set(blobs)].filter((blob) => store.blobs.has(blob));
  return present.reduce((sum, blob) => sum + store.blobs.sizeBytes(blob), 0);
}

async function toSummary(parts: ManifestViewParts, { entry, blobs }: Looked): Promise<ManifestSummary> {
  const { kind, descriptor, imageId, isHere } = entry;
  const Content = contentBytes(parts.store, blobs);
  const base = { ID: descriptor.digest, Descriptor: descriptor, Available: isHere };
  if (kind === 'attestation') {
    const Size = { Content, Total: Content };
    return { ...base, Size, Kind: 'attestation', AttestationData: { For: attestedManifest(descriptor) } };
  }
  // Of what is not here, only a platform tells that it is an image.
  const isImage = kind === 'image' && (isHere ? imageId !== undefined : descriptor.platform !== undefined);
  if (!isImage) {
    return { ...base, Size: { Content, Total: Content }, Kind: 'unknown' };
  }
  const Unpacked = unpackedBytes(parts, imageId);
  const users = imageId === undefined ? [] : parts.containersUsing(imageId);
  return {
    ...base,
    Size: { Content, Total: Content + Unpacked },
    Kind: 'image',
    ImageData: {
      Platform: descriptor.platform ?? (await platformOf(parts.catalog, imageId)),
      Size: { Unpacked },
      Containers: users.length === 0 ? null : users.map(({ id }) => id),
    },
  };
}

function unpackedBytes({ store, catalog }: ManifestViewParts, imageId: Digest | undefined): number {
  if (imageId === undefined || !store.images.find(imageId)) return 0;
  return catalog.layers(imageId).reduce((sum, layer) => sum + layer.sizeBytes, 0);
}

async function platformOf(catalog: Catalog, imageId: Digest | undefined): Promise<oci.Platform> {
  if (imageId === undefined) return { architecture: '', os: '' };
  const config = await catalog.config(imageId);
  const variant = config.variant === undefined || config.variant === '' ? {} : { variant: config.variant };
  return { architecture: config.architecture, os: config.os, ...variant };
}
