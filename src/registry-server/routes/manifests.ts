import { createHash } from 'node:crypto';
import { INDEX_TYPES, MANIFEST_TYPES } from '#registry';
import { isTag, type Digest } from '#spec';
import { registryError } from '../errors.ts';
import { readBody } from '../http/body.ts';
import { type Exchange, sendBytes, sendEmpty } from '../http/exchange.ts';
import { parseManifest } from '../manifest-content.ts';
import { type ManifestReference, parseManifestReference } from '../names.ts';
import type { ManifestRecord } from '../storage/manifest-records.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';
import { matchesTag } from './blobs.ts';

/** The distribution-spec asks for at least 4 MB. */
export const maxManifestBytes: number = 4 * 1024 * 1024;
const maxTagsPerPush = 100;

interface ManifestTarget {
  readonly repository: string;
  readonly reference: string;
}

/** `GET` and `HEAD` of a manifest (end-3). */
export async function getManifest(storage: RegistryStorage, exchange: Exchange, target: ManifestTarget): Promise<void> {
  const reference = parseManifestReference(target.reference);
  const named = storage.findManifest(target.repository, reference);
  if (!named) throw unknownManifest(storage, target.repository, reference);
  const record = await accepted(storage, exchange, target.repository, reference, named);
  const headers = {
    'Content-Type': record.mediaType,
    'Docker-Content-Digest': record.digest,
    ETag: `"${record.digest}"`,
    'Content-Length': String(record.sizeBytes),
  };
  const { request, response } = exchange;
  if (matchesTag(request.headers['if-none-match'], record.digest)) return sendEmpty(response, 304, headers);
  if (request.method === 'HEAD') {
    response.writeHead(200, headers).end();
    return;
  }
  sendBytes(response, 200, await storage.blobs.read(record.digest, maxManifestBytes), headers);
}

/**
 * What is asked for by digest is what is given. Of a tag, a client that says what it takes gets nothing else: for one
 * that knows no indexes the image for linux/amd64 is taken out of it, as Docker's registry does.
 */
async function accepted(
  storage: RegistryStorage,
  exchange: Exchange,
  repository: string,
  reference: ManifestReference,
  record: ManifestRecord,
): Promise<ManifestRecord> {
  const accept = exchange.request.headers.accept;
  if (reference.kind === 'digest' || accepts(accept, record.mediaType)) return record;
  if (INDEX_TYPES.includes(record.mediaType) && MANIFEST_TYPES.some((type) => accepts(accept, type))) {
    const bytes = await storage.blobs.read(record.digest, maxManifestBytes);
    const digest = defaultImage(bytes);
    const child = digest === undefined ? undefined : storage.findManifest(repository, { kind: 'digest', digest });
    if (child && accepts(accept, child.mediaType)) return child;
  }
  throw registryError('MANIFEST_UNKNOWN', {
    message: `manifest unknown: it is of type ${record.mediaType}, which the Accept header does not name`,
    detail: { mediaType: record.mediaType },
  });
}

function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === '') return true;
  const types = header.split(',').map((text) => text.split(';', 1)[0]?.trim().toLowerCase());
  return types.some((type) => type === mediaType || type === '*/*' || type === 'application/*');
}

function defaultImage(bytes: Uint8Array): Digest | undefined {
  const { manifests } = JSON.parse(Buffer.from(bytes).toString()) as {
    manifests?: { digest: Digest; platform?: { os?: string; architecture?: string } }[];
  };
  return manifests?.find(({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64')?.digest;
}

function unknownManifest(storage: RegistryStorage, repository: string, reference: ManifestReference): Error {
  if (storage.repositories.findPublished(repository) === undefined) {
    return registryError('NAME_UNKNOWN', { detail: { name: repository } });
  }
  return registryError('MANIFEST_UNKNOWN', {
    detail: reference.kind === 'tag' ? { tag: reference.tag } : { digest: reference.digest },
  });
}

/** `PUT` of a manifest (end-7). Answers what it pushed, for who wants to tell others. */
export async function putManifest(
  storage: RegistryStorage,
  exchange: Exchange,
  target: ManifestTarget,
): Promise<{ digest: Digest; tags: readonly string[] }> {
  const { request, response, query } = exchange;
  const reference = parseManifestReference(target.reference);
  const tags = tagsToSet(reference, query);
  const bytes = await readBody(request, maxManifestBytes, () =>
    registryError('MANIFEST_INVALID', { status: 413, message: `manifests are limited to ${maxManifestBytes} bytes` }),
  );
  checkDigest(bytes, reference);
  const content = parseManifest(bytes, request.headers['content-type']);
  const { digest } = await storage.putManifest(target.repository, bytes, content, tags);
  sendEmpty(response, 201, {
    Location: `/v2/${target.repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(content.subject === undefined ? {} : { 'OCI-Subject': content.subject }),
    ...(reference.kind === 'digest' && tags.length > 0 ? { 'OCI-Tag': tags.join(', ') } : {}),
  });
  return { digest, tags };
}

function tagsToSet(reference: ManifestReference, query: URLSearchParams): string[] {
  if (reference.kind === 'tag') return [reference.tag];
  const tags = [...new Set(query.getAll('tag'))];
  if (tags.length > maxTagsPerPush) {
    throw registryError('TAG_INVALID', { status: 414, message: `more than ${maxTagsPerPush} tags at once` });
  }
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw registryError('TAG_INVALID', { message: 'invalid tag', detail: { tag: wrong } });
  return tags;
}

function checkDigest(bytes: Uint8Array, reference: ManifestReference): void {
  if (reference.kind !== 'digest') return;
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (actual !== reference.digest) {
    throw registryError('DIGEST_INVALID', { detail: { expected: reference.digest, actual } });
  }
}

/** `DELETE` of a tag, or of a manifest with all its tags (end-9). Answers what went. */
export async function deleteManifest(
  storage: RegistryStorage,
  exchange: Exchange,
  target: ManifestTarget,
): Promise<ManifestReference> {
  const reference = parseManifestReference(target.reference);
  const removed = await storage.write(() => {
    const id = storage.repositories.find(target.repository);
    if (id === undefined) return false;
    return reference.kind === 'tag'
      ? storage.manifests.removeTag(id, reference.tag)
      : storage.manifests.remove(id, reference.digest);
  });
  if (!removed) throw unknownManifest(storage, target.repository, reference);
  sendEmpty(exchange.response, 202);
  return reference;
}
