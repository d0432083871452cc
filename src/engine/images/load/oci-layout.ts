import { formatReference, matchesPlatform, parseReference, withDefaultTag, type Digest, type oci } from '#spec';
import {
  CONFIG_TYPES,
  decodeDescriptor,
  decodeManifests,
  INDEX_TYPES,
  isAttestation,
  MANIFEST_TYPES,
} from '../descriptors.ts';
import { invalidImageArchive } from '../errors.ts';
import { decodeImageConfig } from '../image-config.ts';
import { parseJsonObject } from '../json.ts';
import { archivedLayer, checkLayerCount, type ArchivedImage } from './archived-image.ts';
import type { Spool, SpooledFile } from './spool.ts';

const MAX_INDEX_DEPTH = 4;

/** A blob of the layout, checked against what refers to it. */
function findBlob(spool: Spool, descriptor: oci.Descriptor): SpooledFile {
  const name = `blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`;
  const spooled = spool.get(name);
  const { digest, sizeBytes } = spooled.file;
  if (digest !== descriptor.digest || sizeBytes !== descriptor.size) {
    throw invalidImageArchive(
      `invalid image archive: ${name} does not match its digest: expected ${descriptor.size} bytes, got ${digest} (${sizeBytes} bytes)`,
    );
  }
  return spooled;
}

async function readBlob(spool: Spool, descriptor: oci.Descriptor): Promise<Buffer> {
  findBlob(spool, descriptor);
  return await spool.readSmall(`blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`);
}

/** The full name that an index gives to an entry: containerd's annotation, or OCI's where it is more than a tag. */
function referenceOf(annotations: Readonly<Record<string, string>> = {}): string | undefined {
  const full = annotations['io.containerd.image.name'] ?? '';
  const short = annotations['org.opencontainers.image.ref.name'] ?? '';
  const text = full !== '' ? full : /[:/]/.test(short) ? short : '';
  return text === '' ? undefined : formatReference(withDefaultTag(parseReference(text)));
}

function choose(descriptors: readonly oci.Descriptor[], wanted: oci.Platform): oci.Descriptor[] {
  const images = descriptors.filter((each) => !isAttestation(each));
  if (images.every((each) => each.platform === undefined)) return images;
  return images.filter((each) => each.platform === undefined || matchesPlatform(wanted, each.platform));
}

/** Reads an OCI image layout. Of an image for several platforms, the one for `wanted` is taken. */
export async function readOciLayout(spool: Spool, wanted: oci.Platform): Promise<ArchivedImage[]> {
  const index = parseJsonObject(await spool.readSmall('index.json'), 'index.json');
  const byManifest = new Map<Digest, ArchivedImage>();
  const descriptors = decodeManifests(index);
  for (const descriptor of choose(descriptors, wanted)) {
    const manifest = await findManifest(spool, descriptor, wanted, 0);
    if (!manifest) continue;
    const image = byManifest.get(manifest.digest) ?? (await readManifest(spool, manifest));
    if (!image) continue;
    byManifest.set(manifest.digest, image);
    const reference = referenceOf(descriptor.annotations);
    if (reference !== undefined && !image.references.includes(reference)) image.references.push(reference);
  }
  if (byManifest.size === 0 && descriptors.length > 0) {
    throw invalidImageArchive(`the archive has no image for ${wanted.os}/${wanted.architecture}`);
  }
  return [...byManifest.values()];
}

async function findManifest(
  spool: Spool,
  descriptor: oci.Descriptor,
  wanted: oci.Platform,
  depth: number,
): Promise<oci.Descriptor | undefined> {
  if (MANIFEST_TYPES.has(descriptor.mediaType)) return descriptor;
  if (!INDEX_TYPES.has(descriptor.mediaType)) return undefined;
  if (depth >= MAX_INDEX_DEPTH) throw invalidImageArchive('invalid image archive: indexes are nested too deeply');
  const nested = parseJsonObject(await readBlob(spool, descriptor), `index ${descriptor.digest}`);
  for (const each of choose(decodeManifests(nested), wanted)) {
    const found = await findManifest(spool, each, wanted, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Undefined for what is no image (artifacts). */
async function readManifest(spool: Spool, descriptor: oci.Descriptor): Promise<ArchivedImage | undefined> {
  const manifest = await readBlob(spool, descriptor);
  const json = parseJsonObject(manifest, `manifest ${descriptor.digest}`);
  const configDescriptor = decodeDescriptor(json['config']);
  if (!CONFIG_TYPES.has(configDescriptor.mediaType)) return undefined;
  const config = await readBlob(spool, configDescriptor);
  const diffIds = decodeImageConfig(config).rootfs.diff_ids;
  const layers = Array.isArray(json['layers']) ? json['layers'].map(decodeDescriptor) : [];
  checkLayerCount(diffIds, layers);
  return {
    config,
    manifest,
    layers: layers.flatMap((layer, index) => {
      const diffId = diffIds[index];
      return diffId === undefined ? [] : [archivedLayer(findBlob(spool, layer), diffId, layer.mediaType)];
    }),
    references: [],
  };
}
