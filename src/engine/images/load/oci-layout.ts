import { formatReference, hostPlatform, parseReference, withDefaultTag, type Digest, type oci } from '#spec';
import {
  decodeIndex,
  decodeManifests,
  INDEX_TYPES,
  isAttestation,
  attestedManifest,
  isFor,
  MANIFEST_TYPES,
} from '../descriptors.ts';
import { invalidImageArchive } from '../errors.ts';
import { parseJsonObject } from '../json.ts';
import type { NewManifest } from '../registrar.ts';
import type { ArchivedImage } from './archived-image.ts';
import { keepManifest, readBlob, readManifest } from './layout-blobs.ts';
import type { Spool } from './spool.ts';

/** Far beyond what any builder writes; each costs a row. */
const MAX_KEPT_BLOBS = 50_000;
/** Far beyond what any builder nests. */
const MAX_INDEX_DEPTH = 4;

async function readIndexJson(spool: Spool): Promise<oci.Descriptor[]> {
  return decodeManifests(parseJsonObject(await spool.readSmall('index.json'), 'index.json'));
}

/** Whether the archive is an OCI layout that holds an image of several platforms. */
export async function hasIndex(spool: Spool): Promise<boolean> {
  if (!spool.find('oci-layout') || !spool.find('index.json')) return false;
  return (await readIndexJson(spool)).some((descriptor) => INDEX_TYPES.has(descriptor.mediaType));
}

/** The full name that an index gives to an entry: containerd's annotation, or OCI's where it is more than a tag. */
function referenceOf({ annotations = {} }: oci.Descriptor): string | undefined {
  const full = annotations['io.containerd.image.name'] ?? '';
  const short = annotations['org.opencontainers.image.ref.name'] ?? '';
  const text = full !== '' ? full : /[:/]/.test(short) ? short : '';
  return text === '' ? undefined : formatReference(withDefaultTag(parseReference(text)));
}

/** Of entries with the same name for several platforms, the one wanted; without a wish the host's, or else the first. */
function choose(descriptors: readonly oci.Descriptor[], wanted: oci.Platform | undefined): oci.Descriptor[] {
  const byName = Map.groupBy(
    descriptors.filter((each) => !isAttestation(each)),
    referenceOf,
  );
  return [...byName.values()].flatMap((group) => {
    const [first] = group.filter((each) => each.platform !== undefined);
    const matching = group.filter((each) => each.platform === undefined || isFor(wanted ?? hostPlatform(), each));
    return matching.length > 0 || wanted !== undefined || !first ? matching : [first];
  });
}

/**
 * Reads an OCI image layout. An image of several platforms is taken whole, as far as the archive has it, or with nothing but
 * the platform `wanted`.
 */
export async function readOciLayout(spool: Spool, wanted: oci.Platform | undefined): Promise<ArchivedImage[]> {
  const byDigest = new Map<Digest, ArchivedImage>();
  const descriptors = await readIndexJson(spool);
  for (const descriptor of choose(descriptors, wanted)) {
    const image = byDigest.get(descriptor.digest) ?? (await readEntry(spool, descriptor, wanted));
    if (!image) continue;
    byDigest.set(descriptor.digest, image);
    const reference = referenceOf(descriptor);
    if (reference !== undefined && !image.references.includes(reference)) image.references.push(reference);
  }
  if (byDigest.size === 0 && descriptors.length > 0) {
    const { os, architecture } = wanted ?? hostPlatform();
    throw invalidImageArchive(`the archive has no image for ${os}/${architecture}`);
  }
  return [...byDigest.values()];
}

async function readEntry(
  spool: Spool,
  descriptor: oci.Descriptor,
  wanted: oci.Platform | undefined,
): Promise<ArchivedImage | undefined> {
  if (MANIFEST_TYPES.has(descriptor.mediaType)) return await readManifest(spool, descriptor);
  if (INDEX_TYPES.has(descriptor.mediaType))
    return await readIndex(spool, descriptor, wanted, { depth: 0, seen: new Set() });
  return undefined;
}

/** Undefined when the archive has no image of the index. */
async function readIndex(
  spool: Spool,
  descriptor: oci.Descriptor,
  wanted: oci.Platform | undefined,
  walk: { depth: number; seen: Set<Digest> },
): Promise<ArchivedImage | undefined> {
  const { depth, seen } = walk;
  if (seen.has(descriptor.digest)) return undefined;
  seen.add(descriptor.digest);
  if (depth >= MAX_INDEX_DEPTH) throw invalidImageArchive('invalid image archive: indexes are nested too deeply');
  const index = await readBlob(spool, descriptor);
  const entries = decodeIndex(index).map((entry) => entry.descriptor);
  const kept = await keepAll(spool, wanted === undefined ? entries : only(entries, wanted));
  const images = entries.filter((entry) => kept.some((each) => each.digest === entry.digest && each.imageId));
  const meant = images.find((entry) => isFor(wanted ?? hostPlatform(), entry)) ?? images[0];
  if (meant) {
    const image = await readManifest(spool, meant);
    const others = kept.filter((each) => each.digest !== meant.digest);
    if (image) leavePacked(spool, image, others);
    return image && { ...image, index, kept: others };
  }
  for (const nested of entries.filter((entry) => INDEX_TYPES.has(entry.mediaType))) {
    const image = await readIndex(spool, nested, wanted, { depth: depth + 1, seen });
    if (image) return { ...image, index, kept };
  }
  return undefined;
}

/** Layers that only other platforms have need not be unpacked. */
function leavePacked(spool: Spool, image: ArchivedImage, others: readonly NewManifest[]): void {
  const own = new Set(image.layers.map((layer) => layer.blob.digest));
  const packed = others.flatMap((manifest) => manifest.blobs).filter((blob) => !own.has(blob.digest));
  for (const { digest } of packed) spool.find(`blobs/sha256/${digest.slice('sha256:'.length)}`)?.stayPacked();
}

async function keepAll(spool: Spool, entries: readonly oci.Descriptor[]): Promise<NewManifest[]> {
  const kept: NewManifest[] = [];
  let count = 0;
  for (const entry of entries) {
    const manifest = await keepManifest(spool, entry);
    if (manifest) kept.push(manifest);
    count += manifest?.blobs.length ?? 0;
    if (count > MAX_KEPT_BLOBS) throw invalidImageArchive('invalid image archive: an index refers to too many blobs');
  }
  return kept;
}

/** The image for a platform, what is attested of it, and indexes that may hold it. */
function only(entries: readonly oci.Descriptor[], wanted: oci.Platform): oci.Descriptor[] {
  const images = entries.filter((entry) => !isAttestation(entry) && isFor(wanted, entry));
  const attestations = entries.filter((entry) => images.some((image) => image.digest === attestedManifest(entry)));
  return [...images, ...attestations, ...entries.filter((entry) => INDEX_TYPES.has(entry.mediaType))];
}
