import { EngineError } from '#errors';
import { INDEX_TYPES, MANIFEST_TYPES, MEDIA_TYPE } from '#registry';
import { isDigest, type Digest, type oci } from '#spec';
import { isObject, MAX_JSON_BYTES, stringOr, type JsonObject } from '../json.ts';

/** Far beyond any image or index that anyone has. */
const MAX_ENTRIES = 1000;

export interface BlobEntry {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** One line of an index. */
export interface IndexEntry extends BlobEntry {
  readonly platform: oci.Platform | undefined;
  /** A signature or provenance that lies beside images. */
  readonly isAttestation: boolean;
}

/** What a registry answers where an image is asked for. */
export type RemoteContent =
  | { kind: 'image'; config: BlobEntry; layers: readonly BlobEntry[] }
  | { kind: 'index'; entries: readonly IndexEntry[] };

/** Configurations of images; what old registries and tools say instead of the first two. */
const configTypes: ReadonlySet<string> = new Set([
  MEDIA_TYPE.ociConfig,
  MEDIA_TYPE.dockerConfig,
  'application/octet-stream',
  'application/json',
  'text/html',
  '',
]);

/** A type, or what it begins with (`+gzip`, `.gzip`, `+zstd`). */
const layerTypes: readonly string[] = [
  MEDIA_TYPE.ociLayer,
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.docker.image.rootfs.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
];

function invalidManifest(message: string, cause?: unknown): EngineError {
  return new EngineError('invalidArgument', 'INVALID_MANIFEST', message, { cause });
}

/** Whether it says that a document is no image, or none that can be used. */
export function isManifestRefusal(error: EngineError): boolean {
  return error.code === 'INVALID_MANIFEST';
}

function schema1Error(name: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'SCHEMA1_MANIFEST',
    `Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. Suggest the author of ${name} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/`,
  );
}

function decodeEntry(value: unknown): BlobEntry {
  const raw = isObject(value) ? value : {};
  const digest = stringOr(raw['digest'], '');
  const size = raw['size'];
  if (!isDigest(digest)) throw invalidManifest(`invalid manifest: ${JSON.stringify(digest)} is no digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidManifest(`invalid manifest: ${digest} has no valid size`);
  }
  return { mediaType: stringOr(raw['mediaType'], ''), digest, sizeBytes: size };
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

function decodeIndexEntry(value: unknown): IndexEntry {
  const annotations = isObject(value) && isObject(value['annotations']) ? value['annotations'] : {};
  const platform = decodePlatform(isObject(value) ? value['platform'] : undefined);
  return { ...decodeEntry(value), platform, isAttestation: 'vnd.docker.reference.type' in annotations };
}

function decodeList<T>(value: unknown, what: string, decode: (item: unknown) => T): T[] {
  if (!Array.isArray(value)) throw invalidManifest(`invalid manifest: it has no ${what}`);
  if (value.length > MAX_ENTRIES) throw invalidManifest(`invalid manifest: more than ${MAX_ENTRIES} ${what}`);
  return value.map(decode);
}

function decodeImage(json: JsonObject): RemoteContent {
  const config = decodeEntry(json['config']);
  if (!configTypes.has(config.mediaType)) {
    throw invalidManifest(
      `Encountered remote ${JSON.stringify(config.mediaType)}(${config.mediaType === 'application/vnd.docker.plugin.v1+json' ? 'plugin' : 'unknown'}) when fetching`,
    );
  }
  if (config.sizeBytes > MAX_JSON_BYTES) {
    throw invalidManifest(`the image configuration is larger than ${MAX_JSON_BYTES} bytes`);
  }
  const layers = decodeList(json['layers'], 'layers', decodeEntry);
  const strange = layers.find(({ mediaType }) => !isLayerType(mediaType.toLowerCase()));
  if (strange) throw invalidManifest(`unsupported media type ${strange.mediaType}`);
  return { kind: 'image', config, layers };
}

function isLayerType(mediaType: string): boolean {
  return layerTypes.some(
    (known) =>
      mediaType === known ||
      (mediaType.startsWith(known) && /^(\.|\+)(gzip|zstd)$/.test(mediaType.slice(known.length))),
  );
}

/**
 * Reads a manifest or an index.
 *
 * @param mediaType - what the registry called it; the document's own word counts more.
 * @param name - for messages.
 * @throws {@link EngineError} invalidArgument with Docker's texts: schema 1, artifacts, malformed documents.
 */
export function decodeManifest(bytes: Uint8Array, mediaType: string, name: string): RemoteContent {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw invalidManifest('unsupported manifest format', error);
  }
  if (!isObject(json)) throw invalidManifest('unsupported manifest format');
  const type = stringOr(json['mediaType'], mediaType);
  if (json['schemaVersion'] === 1 || type === MEDIA_TYPE.dockerSchema1 || type === MEDIA_TYPE.dockerSchema1Signed) {
    throw schema1Error(name);
  }
  if (INDEX_TYPES.includes(type))
    return { kind: 'index', entries: decodeList(json['manifests'], 'manifests', decodeIndexEntry) };
  if (MANIFEST_TYPES.includes(type)) return decodeImage(json);
  throw invalidManifest('unsupported manifest format');
}
