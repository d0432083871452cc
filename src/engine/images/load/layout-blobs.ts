import type { Digest, oci } from '#spec';
import {
  CONFIG_TYPES,
  decodeDescriptor,
  decodeManifests,
  INDEX_TYPES,
  kindOf,
  MANIFEST_TYPES,
} from '../descriptors.ts';
import { invalidImageArchive } from '../errors.ts';
import { decodeImageConfig } from '../image-config.ts';
import { isObject, parseJsonObject } from '../json.ts';
import type { NewManifest } from '../registrar.ts';
import { archivedLayer, checkLayerCount, type ArchivedImage } from './archived-image.ts';
import type { Spool, SpooledFile } from './spool.ts';

const MAX_INDEX_DEPTH = 4;

function nameOf(descriptor: oci.Descriptor): string {
  return `blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`;
}

/** A blob of the layout, checked against what refers to it. @throws invalidArgument when it is missing or another one. */
export function findBlob(spool: Spool, descriptor: oci.Descriptor): SpooledFile {
  const name = nameOf(descriptor);
  const spooled = spool.get(name);
  const { digest, sizeBytes } = spooled.file;
  if (digest !== descriptor.digest || sizeBytes !== descriptor.size) {
    throw invalidImageArchive(
      `invalid image archive: ${name} does not match its digest: expected ${descriptor.size} bytes, got ${digest} (${sizeBytes} bytes)`,
    );
  }
  return spooled;
}

/** @throws invalidArgument when it is missing, another one or too large. */
export async function readBlob(spool: Spool, descriptor: oci.Descriptor): Promise<Buffer> {
  findBlob(spool, descriptor);
  return await spool.readSmall(nameOf(descriptor));
}

/** An image of the layout. Undefined for what is none (artifacts). @throws invalidArgument when a part is missing. */
export async function readManifest(spool: Spool, descriptor: oci.Descriptor): Promise<ArchivedImage | undefined> {
  const manifest = await readBlob(spool, descriptor);
  const json = parseJsonObject(manifest, `manifest ${descriptor.digest}`);
  const configDescriptor = decodeDescriptor(json['config']);
  if (!CONFIG_TYPES.has(configDescriptor.mediaType)) return undefined;
  const config = await readBlob(spool, configDescriptor);
  const diffIds = decodeImageConfig(config).rootfs.diff_ids;
  const layers = Array.isArray(json['layers']) ? json['layers'].map(decodeDescriptor) : [];
  if (!layers.every(isLayer)) return undefined;
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

/** All that a manifest of an index refers to, to be kept as it is; undefined when not all of it is in the archive. */
export async function keepManifest(spool: Spool, descriptor: oci.Descriptor): Promise<NewManifest | undefined> {
  const blobs = await collectBlobs(spool, descriptor, { depth: 0, seen: new Set() });
  if (!blobs) return undefined;
  const imageId = await imageIdOf(spool, descriptor);
  return {
    digest: descriptor.digest,
    imageId,
    blobs: blobs.map((blob) => {
      const spooled = findBlob(spool, blob);
      return { digest: blob.digest, sizeBytes: blob.size, file: () => spooled.settled() };
    }),
  };
}

/** The config's digest where the manifest is an image's. */
async function imageIdOf(spool: Spool, descriptor: oci.Descriptor): Promise<Digest | undefined> {
  if (kindOf(descriptor) !== 'image') return undefined;
  const { config, layers } = parseJsonObject(await readBlob(spool, descriptor), `manifest ${descriptor.digest}`);
  if (!isObject(config) || !Array.isArray(layers)) return undefined;
  const stated = decodeDescriptor(config);
  const isImage = CONFIG_TYPES.has(stated.mediaType) && layers.map(decodeDescriptor).every(isLayer);
  if (!isImage) return undefined;
  // It is refused now if it could not be unpacked later.
  checkLayerCount(decodeImageConfig(await readBlob(spool, stated)).rootfs.diff_ids, layers);
  return stated.digest;
}

/** What is attested of an image has a configuration like an image, but layers that are no file systems. */
function isLayer({ mediaType }: oci.Descriptor): boolean {
  return /\btar\b/.test(mediaType);
}

interface Walk {
  depth: number;
  /** So that indexes which list each other's parts many times over cost no more than their parts. */
  seen: Set<Digest>;
}

async function collectBlobs(
  spool: Spool,
  descriptor: oci.Descriptor,
  walk: Walk,
): Promise<oci.Descriptor[] | undefined> {
  if (walk.seen.has(descriptor.digest)) return [];
  walk.seen.add(descriptor.digest);
  if (!spool.find(nameOf(descriptor))) return undefined;
  findBlob(spool, descriptor);
  if (INDEX_TYPES.has(descriptor.mediaType)) return await collectIndex(spool, descriptor, walk);
  if (!MANIFEST_TYPES.has(descriptor.mediaType)) return [descriptor];
  const json = parseJsonObject(await readBlob(spool, descriptor), `manifest ${descriptor.digest}`);
  const layers: unknown[] = Array.isArray(json['layers']) ? json['layers'] : [];
  const parts = [json['config'], ...layers].filter(isObject).map(decodeDescriptor);
  const isWhole = parts.every((part) => spool.find(nameOf(part)) !== undefined);
  return isWhole ? [descriptor, ...parts] : undefined;
}

/** An index inside an index, with what the archive has of it. */
async function collectIndex(
  spool: Spool,
  descriptor: oci.Descriptor,
  { depth, seen }: Walk,
): Promise<oci.Descriptor[]> {
  if (depth >= MAX_INDEX_DEPTH) throw invalidImageArchive('invalid image archive: indexes are nested too deeply');
  const json = parseJsonObject(await readBlob(spool, descriptor), `index ${descriptor.digest}`);
  const blobs = [descriptor];
  for (const each of decodeManifests(json))
    blobs.push(...((await collectBlobs(spool, each, { depth: depth + 1, seen })) ?? []));
  return blobs;
}
