import { isDigest, isTag, type Digest } from '#spec';
import { registryError } from './errors.ts';

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
/** Clients stop at 255 characters with the host before it. */
const maxNameLength = 255;

/** @throws {@link EngineError} NAME_INVALID. */
export function parseRepositoryName(text: string): string {
  if (text.length > maxNameLength || !namePattern.test(text)) {
    throw registryError('NAME_INVALID', { detail: { name: text.slice(0, maxNameLength) } });
  }
  return text;
}

/** @throws {@link EngineError} DIGEST_INVALID, also for well-formed digests of other algorithms than sha256. */
export function parseContentDigest(text: string | null | undefined): Digest {
  if (text !== null && text !== undefined && isDigest(text)) return text;
  const isOtherAlgorithm =
    /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/.test(text ?? '') && !text?.startsWith('sha256:');
  const message = isOtherAlgorithm ? 'unsupported digest algorithm: this registry keeps sha256' : 'invalid digest';
  throw registryError('DIGEST_INVALID', { message, detail: { digest: text?.slice(0, 200) ?? '' } });
}

/** What the last part of a manifest's URL says. */
export type ManifestReference = { kind: 'tag'; tag: string } | { kind: 'digest'; digest: Digest };

/** @throws {@link EngineError} DIGEST_INVALID or MANIFEST_INVALID when it is neither. */
export function parseManifestReference(text: string): ManifestReference {
  if (isTag(text)) return { kind: 'tag', tag: text };
  if (text.includes(':')) return { kind: 'digest', digest: parseContentDigest(text) };
  throw registryError('TAG_INVALID', { message: 'invalid tag', detail: { tag: text.slice(0, 200) } });
}
