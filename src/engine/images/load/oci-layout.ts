import {
  formatReference,
  isDigest,
  matchesPlatform,
  parseReference,
  withDefaultTag,
  type Digest,
  type oci,
} from '#spec';
import { invalidImageArchive } from '../errors.ts';
import { decodeImageConfig } from '../image-config.ts';
import { isObject, parseJsonObject, stringOr, type JsonObject } from '../json.ts';
import { archivedLayer, checkLayerCount, type ArchivedImage } from './archived-image.ts';
import type { Spool, SpooledFile } from './spool.ts';

const MAX_INDEX_DEPTH = 4;
const MAX_MANIFESTS = 1000;

const indexTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const manifestTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
const configTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

interface Descriptor {
  mediaType: string;
  digest: Digest;
  sizeBytes: number;
  platform: oci.Platform | undefined;
  annotations: JsonObject;
}

function decodeDescriptor(value: unknown): Descriptor {
  const raw = isObject(value) ? value : {};
  const digest = stringOr(raw['digest'], '');
  const size = raw['size'];
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidImageArchive('invalid image archive: a descriptor has no valid digest or size');
  }
  return {
    mediaType: stringOr(raw['mediaType'], ''),
    digest,
    sizeBytes: size,
    platform: decodePlatform(raw['platform']),
    annotations: isObject(raw['annotations']) ? raw['annotations'] : {},
  };
}

function decodePlatform(value: unknown): oci.Platform | undefined {
  if (!isObject(value)) return undefined;
  const variant = stringOr(value['variant'], '');
  return {
    os: stringOr(value['os'], ''),
    architecture: stringOr(value['architecture'], ''),
    ...(variant === '' ? {} : { variant }),
  };
}

function decodeManifests(json: JsonObject): Descriptor[] {
  const list = json['manifests'];
  if (!Array.isArray(list)) throw invalidImageArchive('invalid image archive: an index has no manifests');
  if (list.length > MAX_MANIFESTS) throw invalidImageArchive('invalid image archive: an index has too many manifests');
  return list.map(decodeDescriptor);
}

/** A blob of the layout, checked against what refers to it. */
function findBlob(spool: Spool, descriptor: Descriptor): SpooledFile {
  const name = `blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`;
  const spooled = spool.get(name);
  const { digest, sizeBytes } = spooled.file;
  if (digest !== descriptor.digest || sizeBytes !== descriptor.sizeBytes) {
    throw invalidImageArchive(
      `invalid image archive: ${name} does not match its digest: expected ${descriptor.sizeBytes} bytes, got ${digest} (${sizeBytes} bytes)`,
    );
  }
  return spooled;
}

async function readBlob(spool: Spool, descriptor: Descriptor): Promise<Buffer> {
  findBlob(spool, descriptor);
  return await spool.readSmall(`blobs/sha256/${descriptor.digest.slice('sha256:'.length)}`);
}

/** The full name that an index gives to an entry: containerd's annotation, or OCI's where it is more than a tag. */
function referenceOf(annotations: JsonObject): string | undefined {
  const full = stringOr(annotations['io.containerd.image.name'], '');
  const short = stringOr(annotations['org.opencontainers.image.ref.name'], '');
  const text = full !== '' ? full : /[:/]/.test(short) ? short : '';
  return text === '' ? undefined : formatReference(withDefaultTag(parseReference(text)));
}

/** Signatures and provenance lie beside images, marked so. */
function isAttestation(descriptor: Descriptor): boolean {
  return 'vnd.docker.reference.type' in descriptor.annotations;
}

function choose(descriptors: readonly Descriptor[], wanted: oci.Platform): Descriptor[] {
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
  descriptor: Descriptor,
  wanted: oci.Platform,
  depth: number,
): Promise<Descriptor | undefined> {
  if (manifestTypes.has(descriptor.mediaType)) return descriptor;
  if (!indexTypes.has(descriptor.mediaType)) return undefined;
  if (depth >= MAX_INDEX_DEPTH) throw invalidImageArchive('invalid image archive: indexes are nested too deeply');
  const nested = parseJsonObject(await readBlob(spool, descriptor), `index ${descriptor.digest}`);
  for (const each of choose(decodeManifests(nested), wanted)) {
    const found = await findManifest(spool, each, wanted, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** Undefined for what is no image (artifacts). */
async function readManifest(spool: Spool, descriptor: Descriptor): Promise<ArchivedImage | undefined> {
  const manifest = await readBlob(spool, descriptor);
  const json = parseJsonObject(manifest, `manifest ${descriptor.digest}`);
  const configDescriptor = decodeDescriptor(json['config']);
  if (!configTypes.has(configDescriptor.mediaType)) return undefined;
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
