import { EngineError } from '#errors';
import { hostPlatform, type Digest, type oci } from '#spec';
import type { ImageRecord, KeptManifest, Layer, Store } from '#store';
import type { Catalog } from '../catalog.ts';
import { decodeDescriptor, isFor } from '../descriptors.ts';
import { shortId } from '../errors.ts';
import { isObject, MAX_JSON_BYTES, parseJsonObject, stringOr } from '../json.ts';
import { MEDIA_TYPES } from '../registrar.ts';
import { shownPlatform } from '../pull/choose.ts';

/** A blob that a manifest needs. */
export interface PlannedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** What its progress lines call it; empty: it has none. */
  readonly id: string;
  /** What its progress lines say its size is: the layer's, unpacked. */
  readonly shownBytes: number;
}

/** A manifest to push, with what it needs. */
export interface PlannedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly blobs: readonly PlannedBlob[];
}

/** What a tag's push consists of. */
export interface PushPlan {
  readonly image: ImageRecord;
  /** Pushed by digest, before the top. */
  readonly children: readonly PlannedManifest[];
  readonly top: PlannedManifest;
  /** The index that is pushed; undefined for one manifest. */
  readonly index: Digest | undefined;
  /** Said at the end when one manifest stands for an index that is not all here. */
  readonly note: Record<string, unknown> | undefined;
}

export interface PlanParts {
  store: Store;
  catalog: Catalog;
}

async function readDocument(
  store: Store,
  digest: Digest,
): Promise<{ bytes: Buffer; json: Readonly<Record<string, unknown>> }> {
  const bytes = await store.blobs.read(digest, MAX_JSON_BYTES);
  return { bytes, json: parseJsonObject(bytes, `manifest ${digest}`) };
}

/** How the layers of an image are called and how large they are; blobs of other manifests go by their digest. */
function layerFacts({ store }: PlanParts, id: Digest | undefined): Map<Digest, Layer> {
  const places = id === undefined ? [] : store.images.layers(id);
  return new Map(
    places.flatMap(({ chainId, blobDigest }) => {
      const layer = store.layers.find(chainId);
      return layer ? [[blobDigest, layer] as const] : [];
    }),
  );
}

async function planManifest(parts: PlanParts, digest: Digest, imageId: Digest | undefined): Promise<PlannedManifest> {
  const { bytes, json } = await readDocument(parts.store, digest);
  const config = decodeDescriptor(json['config']);
  const layers = Array.isArray(json['layers']) ? json['layers'].map(decodeDescriptor) : [];
  const facts = layerFacts(parts, imageId);
  const blobs = new Map<Digest, PlannedBlob>();
  // The topmost first, as Docker tells of them.
  for (const layer of layers.toReversed()) {
    const known = facts.get(layer.digest);
    const id = shortId(known?.diffId ?? layer.digest);
    blobs.set(layer.digest, {
      digest: layer.digest,
      sizeBytes: layer.size,
      id,
      shownBytes: known?.sizeBytes ?? layer.size,
    });
  }
  blobs.set(config.digest, { digest: config.digest, sizeBytes: config.size, id: '', shownBytes: config.size });
  const mediaType = stringOr(json['mediaType'], MEDIA_TYPES.manifest);
  return { digest, mediaType, bytes, blobs: [...blobs.values()] };
}

/** @throws notFound with Docker's text when there is no image for the platform. */
export async function planPush(
  parts: PlanParts,
  name: string,
  target: { imageId: Digest; indexDigest: Digest | undefined },
  wanted: oci.Platform | undefined,
): Promise<PushPlan> {
  const image = parts.catalog.get(target.imageId);
  if (target.indexDigest === undefined) {
    if (wanted) await checkPlatform(parts, name, image, wanted);
    const top = await planManifest(parts, image.manifestDigest, image.id);
    return { image, children: [], top, index: undefined, note: undefined };
  }
  const entries = parts.store.indexes.entries(target.indexDigest);
  if (wanted === undefined && entries.every((entry) => entry.isHere)) {
    return await planIndex(parts, image, target.indexDigest, entries);
  }
  const chosen = choose(entries, wanted);
  if (!chosen) throw platformNotFound(name, wanted);
  const top = await planManifest(parts, chosen.manifestDigest, chosen.imageId);
  const own = chosen.imageId === undefined ? undefined : parts.store.images.find(chosen.imageId);
  const note = wanted === undefined ? await insteadOfIndex(parts, target.indexDigest, chosen) : undefined;
  return { image: own ?? image, children: [], top, index: undefined, note };
}

function choose(entries: readonly KeptManifest[], wanted: oci.Platform | undefined): KeptManifest | undefined {
  const here = entries.filter((entry) => entry.isHere && entry.kind === 'image');
  if (wanted) return here.find((entry) => isFor(wanted, entry.descriptor));
  return here.length === 1 ? here[0] : here.find((entry) => isFor(hostPlatform(), entry.descriptor));
}

async function checkPlatform(parts: PlanParts, name: string, image: ImageRecord, wanted: oci.Platform): Promise<void> {
  const config = await parts.catalog.config(image.id);
  const descriptor: oci.Descriptor = { mediaType: '', digest: image.id, size: 0, platform: config };
  if (!isFor(wanted, descriptor)) throw platformNotFound(name, wanted);
}

function platformNotFound(name: string, wanted: oci.Platform | undefined): EngineError {
  return new EngineError(
    'notFound',
    'IMAGE_PLATFORM_NOT_FOUND',
    `image with reference ${name} was found but does not provide the specified platform (${shownPlatform(wanted)})`,
  );
}

async function planIndex(
  parts: PlanParts,
  image: ImageRecord,
  index: Digest,
  entries: readonly KeptManifest[],
): Promise<PushPlan> {
  const { bytes, json } = await readDocument(parts.store, index);
  const children: PlannedManifest[] = [];
  for (const entry of entries) children.push(await planManifest(parts, entry.manifestDigest, entry.imageId));
  const mediaType = stringOr(json['mediaType'], MEDIA_TYPES.index);
  return { image, children, top: { digest: index, mediaType, bytes, blobs: [] }, index, note: undefined };
}

/** What Docker adds to the stream for its CLI to explain. */
async function insteadOfIndex(
  { store }: PlanParts,
  index: Digest,
  chosen: KeptManifest,
): Promise<Record<string, unknown>> {
  const { bytes, json } = await readDocument(store, index);
  return {
    manifestPushedInsteadOfIndex: true,
    originalIndex: { mediaType: stringOr(json['mediaType'], MEDIA_TYPES.index), digest: index, size: bytes.byteLength },
    selectedManifest: chosen.descriptor,
  };
}

/** Whether a manifest made here has layers that nobody compressed. */
export function plainLayers(manifest: PlannedManifest): oci.Descriptor[] {
  const json: unknown = JSON.parse(manifest.bytes.toString());
  const layers = isObject(json) && Array.isArray(json['layers']) ? json['layers'].map(decodeDescriptor) : [];
  return layers.filter(({ mediaType }) => mediaType === MEDIA_TYPES.layer);
}
