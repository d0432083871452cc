import { EngineError } from '#errors';
import type { RegistryClient, RegistryCredentials, RemoteManifest, RemoteRepository } from '#registry';
import {
  familiarName,
  familiarReference,
  formatReference,
  isDigest,
  isTag,
  parseReference,
  repositoryName,
  type ImageReference,
  type oci,
  type ProgressLine,
} from '#spec';
import { parsePlatformOption, type Catalog } from '../catalog.ts';
import { imageAttributes, type EmitImageEvent } from '../events.ts';
import { MAX_JSON_BYTES } from '../json.ts';
import type { BlobSources } from '../push/blob-sources.ts';
import { pullError } from './errors.ts';
import { fetchImage, type FetchParts } from './fetch-image.ts';
import { ImageFinder } from './find-image.ts';

export interface PullParts extends FetchParts {
  catalog: Catalog;
  client: RegistryClient;
  sources: BlobSources;
  emit: EmitImageEvent;
}

export interface PullRequest {
  /** A name, possibly with tag or digest. */
  ref: string;
  /** Tag or digest, counting more than those of `ref`. Without either, all tags are pulled. */
  tag: string;
  /** Empty for this machine's. */
  platform: string;
  credentials: RegistryCredentials;
}

interface Pull {
  readonly repository: RemoteRepository;
  readonly platform: oci.Platform | undefined;
  readonly signal: AbortSignal;
  readonly report: (line: ProgressLine) => void;
}

/**
 * What `fromImage` and `tag` of a request mean; a name alone means all tags.
 *
 * @throws {@link EngineError} invalidArgument with Docker's texts.
 */
export function parsePullTarget(ref: string, tag: string): ImageReference {
  const parsed = parseReference(ref);
  if (tag === '') return parsed;
  const { domain, path } = parsed;
  if (isDigest(tag)) return { domain, path, digest: tag };
  if (!isTag(tag)) throw new EngineError('invalidArgument', 'INVALID_TAG', 'invalid tag format');
  return { domain, path, tag };
}

/** `docker pull`: one image, or all tags of a repository. */
export async function pull(
  parts: PullParts,
  request: PullRequest,
  signal: AbortSignal,
  report: (line: ProgressLine) => void,
): Promise<void> {
  const target = parsePullTarget(request.ref, request.tag);
  const platform = request.platform === '' ? undefined : parsePlatformOption(request.platform);
  const repository = parts.client.repository(target, { credentials: request.credentials, actions: 'pull' });
  const run: Pull = { repository, platform, signal, report };
  const isAll = target.tag === undefined && target.digest === undefined;
  let isNewer = false;
  try {
    const tags = isAll ? await repository.listTags({ signal }) : [];
    const wanted = isAll ? tags.filter(isTag).map((tag) => ({ ...target, tag })) : [target];
    for (const reference of wanted) isNewer = (await pullOne(parts, run, reference)) || isNewer;
  } catch (error) {
    throw pullError(error, target);
  }
  const name = familiarReference(target);
  report({ status: `Status: ${isNewer ? 'Downloaded newer image' : 'Image is up to date'} for ${name}` });
  const image = isAll ? undefined : parts.catalog.findNamed(target);
  const config = image && (await parts.catalog.config(image.id));
  parts.emit('pull', name, imageAttributes(familiarName(target), config));
}

/** Answers whether the name means another image now than before. */
async function pullOne(parts: PullParts, run: Pull, reference: ImageReference): Promise<boolean> {
  const { repository, signal, report } = run;
  const { store } = parts;
  const top = await getManifest(repository, reference.digest ?? reference.tag ?? '', signal);
  const full = formatReference(reference);
  report({
    status: `Pulling from ${reference.path}`,
    id: reference.digest === undefined ? (reference.tag ?? '') : full,
  });
  const names = referencesOf(reference, top);
  try {
    using lease = store.leases.open();
    const found = await new ImageFinder(repository, run.platform, full, signal).find(top);
    const before = names.map((name) => store.images.resolve(name));
    const index = found.manifest === top ? undefined : top.bytes;
    const added = await fetchImage(parts, found, lease, { ...run, index, references: names });
    const blobs = [found.config, ...found.layers].map((blob) => blob.digest);
    parts.sources.remember(reference, [found.manifest.digest, top.digest, ...blobs]);
    report({ status: `Digest: ${top.digest}` });
    return before[0] !== added.id;
  } finally {
    await store.collect();
  }
}

async function getManifest(
  repository: RemoteRepository,
  reference: string,
  signal: AbortSignal,
): Promise<RemoteManifest> {
  const manifest = await repository.getManifest(reference, { signal });
  if (manifest.bytes.byteLength <= MAX_JSON_BYTES) return manifest;
  throw new EngineError('invalidArgument', 'INVALID_MANIFEST', `the manifest is larger than ${MAX_JSON_BYTES} bytes`);
}

/** The tag, and the digest that the repository has it under. */
function referencesOf(reference: ImageReference, { digest }: RemoteManifest): string[] {
  const byDigest = `${repositoryName(reference)}@${digest}`;
  if (reference.digest !== undefined || reference.tag === undefined) return [byDigest];
  return [formatReference(reference), byDigest];
}
