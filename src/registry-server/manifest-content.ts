import * as v from 'valibot';
import { INDEX_TYPES, MANIFEST_TYPES, MEDIA_TYPE } from '#registry';
import { isDigest, type Digest } from '#spec';
import { registryError } from './errors.ts';

/** What the registry must know of a manifest. */
export interface ManifestContent {
  readonly mediaType: string;
  /** Blobs that must be in the repository. */
  readonly blobs: readonly Digest[];
  /** Manifests that must be in the repository. */
  readonly manifests: readonly Digest[];
  readonly subject?: Digest | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'is no sha256 digest');
const descriptor = v.object({
  mediaType: v.string(),
  digest,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  urls: v.optional(v.array(v.string())),
});
const common = {
  schemaVersion: v.literal(2),
  mediaType: v.optional(v.string()),
  artifactType: v.optional(v.string()),
  subject: v.optional(descriptor),
  annotations: v.optional(v.nullable(v.record(v.string(), v.string()))),
};
const image = v.object({ ...common, config: descriptor, layers: v.nullable(v.array(descriptor)) });
const index = v.object({ ...common, manifests: v.nullable(v.array(descriptor)) });

function invalid(reason: string): Error {
  return registryError('MANIFEST_INVALID', { message: `manifest invalid: ${reason}`, detail: { reason } });
}

/**
 * Reads a pushed manifest. `contentType` (parameters do not count) and the `mediaType` inside must not contradict each other.
 *
 * @throws {@link EngineError} MANIFEST_INVALID.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ManifestContent {
  const value = parseJson(bytes);
  const declared = contentType?.split(';', 1)[0]?.trim() ?? '';
  const inside = typeof value['mediaType'] === 'string' && value['mediaType'] !== '' ? value['mediaType'] : undefined;
  const mediaType = declared !== '' ? declared : (inside ?? guess(value));
  if (inside !== undefined && inside !== mediaType) {
    throw invalid(`its mediaType is ${inside}, but it was sent as ${mediaType}`);
  }
  if (mediaType === MEDIA_TYPE.dockerSchema1 || mediaType === MEDIA_TYPE.dockerSchema1Signed) {
    throw invalid('schema 1 is no longer supported; push it with a client that makes schema 2 or OCI manifests');
  }
  if (MANIFEST_TYPES.includes(mediaType)) return imageContent(value, mediaType);
  if (INDEX_TYPES.includes(mediaType)) return indexContent(value, mediaType);
  throw invalid(`unknown media type ${mediaType.slice(0, 200)}`);
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('it is not a JSON object');
  return value as Record<string, unknown>;
}

function guess(value: Record<string, unknown>): string {
  return 'manifests' in value ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest;
}

function decode<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(`${v.getDotPath(issue) ?? 'manifest'}: ${issue.message}`);
}

function imageContent(value: Record<string, unknown>, mediaType: string): ManifestContent {
  // One document that is an image to some and an index to others is how clients are deceived.
  if ('manifests' in value || 'fsLayers' in value) throw invalid('it has the fields of an image and of an index');
  const content = decode(image, value);
  const needed = (content.layers ?? []).filter((layer) => !isForeign(layer));
  return {
    mediaType,
    blobs: [...new Set([content.config.digest, ...needed.map((layer) => layer.digest)])],
    manifests: [],
    subject: content.subject?.digest,
    artifactType: nonEmpty(content.artifactType) ?? content.config.mediaType,
    annotations: content.annotations ?? undefined,
  };
}

function indexContent(value: Record<string, unknown>, mediaType: string): ManifestContent {
  if ('config' in value || 'layers' in value || 'fsLayers' in value) {
    throw invalid('it has the fields of an image and of an index');
  }
  const content = decode(index, value);
  return {
    mediaType,
    blobs: [],
    manifests: [...new Set((content.manifests ?? []).map((each) => each.digest))],
    subject: content.subject?.digest,
    artifactType: nonEmpty(content.artifactType),
    annotations: content.annotations ?? undefined,
  };
}

/** Layers that may not be distributed are fetched from elsewhere. */
function isForeign(layer: { mediaType: string; urls?: readonly string[] | undefined }): boolean {
  return (
    (layer.urls?.length ?? 0) > 0 ||
    layer.mediaType === MEDIA_TYPE.dockerForeignLayer ||
    layer.mediaType.includes('.layer.nondistributable.')
  );
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/** Everything a valid manifest names, with its length. */
export function listContents(bytes: Uint8Array): { digest: Digest; sizeBytes: number }[] {
  const value = parseJson(bytes);
  const descriptors = v.parse(v.array(descriptor), [
    ...('config' in value ? [value['config']] : []),
    ...listOf(value['layers']),
    ...listOf(value['manifests']),
  ]);
  return descriptors.map(({ digest: each, size }) => ({ digest: each, sizeBytes: size }));
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
