import { formatPlatform, isDigest, matchesPlatform, normalizePlatform, type Digest, type oci } from '#spec';
import type { IndexEntry, IndexEntryKind } from '#store';
import { invalidImageArchive } from './errors.ts';
import { isObject, parseJsonObject, stringOr, type JsonObject } from './json.ts';

/** Far more than anyone lists; each costs a row. */
const MAX_MANIFESTS = 1000;

/** Types of indexes, OCI's and Docker's. */
export const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
export const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
/** Types of configurations that make a manifest an image. */
export const CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** A descriptor that somebody else wrote, checked; all of its fields are kept. @throws invalidArgument. */
export function decodeDescriptor(value: unknown): oci.Descriptor {
  const raw = isObject(value) ? value : {};
  const { digest, size } = raw;
  if (typeof digest !== 'string' || !isDigest(digest) || !isSize(size)) {
    throw invalidImageArchive('invalid image archive: a descriptor has no valid digest or size');
  }
  const platform = decodePlatform(raw['platform']);
  const { platform: _platform, annotations: _annotations, ...rest } = raw;
  return {
    ...rest,
    mediaType: stringOr(raw['mediaType'], ''),
    digest,
    size,
    ...(isObject(raw['annotations']) ? { annotations: stringsOf(raw['annotations']) } : {}),
    ...(platform === undefined ? {} : { platform }),
  };
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function stringsOf(map: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function decodePlatform(value: unknown): oci.Platform | undefined {
  if (!isObject(value)) return undefined;
  const variant = stringOr(value['variant'], '');
  const osVersion = stringOr(value['os.version'], '');
  return {
    architecture: stringOr(value['architecture'], ''),
    os: stringOr(value['os'], ''),
    ...(osVersion === '' ? {} : { 'os.version': osVersion }),
    ...(variant === '' ? {} : { variant }),
  };
}

/** The descriptors of an index. @throws invalidArgument when there are none, or too many. */
export function decodeManifests(json: JsonObject): oci.Descriptor[] {
  const list = json['manifests'];
  if (!Array.isArray(list)) throw invalidImageArchive('invalid image archive: an index has no manifests');
  if (list.length > MAX_MANIFESTS) throw invalidImageArchive('invalid image archive: an index has too many manifests');
  return list.map(decodeDescriptor);
}

/** What an index lists, from its bytes; each manifest once. @throws invalidArgument when they are no index. */
export function decodeIndex(bytes: Uint8Array): IndexEntry[] {
  const descriptors = decodeManifests(parseJsonObject(bytes, 'the image index'));
  const byDigest = new Map<Digest, IndexEntry>();
  for (const descriptor of descriptors) {
    if (byDigest.has(descriptor.digest)) continue;
    byDigest.set(descriptor.digest, { manifestDigest: descriptor.digest, kind: kindOf(descriptor), descriptor });
  }
  return [...byDigest.values()];
}

/** What a descriptor inside an index stands for, as far as it tells. */
export function kindOf(descriptor: oci.Descriptor): IndexEntryKind {
  if (isAttestation(descriptor)) return 'attestation';
  const isImage = MANIFEST_TYPES.has(descriptor.mediaType) && !isArtifact(descriptor);
  return isImage ? 'image' : 'unknown';
}

function isArtifact({ artifactType }: oci.Descriptor): boolean {
  return artifactType !== undefined && artifactType !== '' && !CONFIG_TYPES.has(artifactType);
}

/** Signatures and provenance lie beside images, marked so. */
export function isAttestation(descriptor: oci.Descriptor): boolean {
  return 'vnd.docker.reference.type' in (descriptor.annotations ?? {});
}

/** The manifest that an attestation is about. */
export function attestedManifest(descriptor: oci.Descriptor): string {
  return descriptor.annotations?.['vnd.docker.reference.digest'] ?? '';
}

/** The platform of a descriptor in one spelling; undefined where it has none. */
export function platformOf({ platform }: oci.Descriptor): oci.Platform | undefined {
  if (platform === undefined || platform.os === '' || platform.architecture === '') return undefined;
  return normalizePlatform(platform);
}

/** Whether the descriptor is for that platform. */
export function isFor(wanted: oci.Platform, descriptor: oci.Descriptor): boolean {
  const offered = platformOf(descriptor);
  return offered !== undefined && matchesPlatform(wanted, offered);
}

/** `linux/arm/v7`, or nothing. */
export function platformText(descriptor: oci.Descriptor): string {
  const platform = platformOf(descriptor);
  return platform === undefined ? '' : formatPlatform(platform);
}
