import { createHash } from 'node:crypto';
import { EngineError } from '#errors';
import { failpoint, formatRfc3339Nano, nowNano } from '#lib';
import type { RegistryClient, RegistryCredentials } from '#registry';
import {
  familiarName,
  familiarReference,
  formatReference,
  isTag,
  parseReference,
  repositoryName,
  type Digest,
  type ImageReference,
  type oci,
  type ProgressLine,
} from '#spec';
import type { Lease, Store, Target } from '#store';
import { parsePlatformOption } from '../catalog.ts';
import { imageAttributes, type EmitImageEvent } from '../events.ts';
import { planPush, type PlannedManifest, type PlanParts, type PushPlan } from './plan.ts';
import { pushBlobs, type PushTarget, type ReadyManifest, type UploadParts } from './push-manifest.ts';

export interface PushParts extends UploadParts, PlanParts {
  client: RegistryClient;
  emit: EmitImageEvent;
}

export interface PushRequest {
  /** A name, possibly with a tag. */
  ref: string;
  /** Counts more than that of `ref`. Without either, all tags are pushed. */
  tag: string;
  /** Of several platforms, this one alone; empty for all that is here. */
  platform: string;
  credentials: RegistryCredentials;
}

function cannotPush(code: string, message: string): EngineError {
  return new EngineError('notFound', code, message);
}

/** @throws {@link EngineError} invalidArgument with Docker's texts. */
export function parsePushTarget(ref: string, tag: string): ImageReference {
  const parsed = parseReference(ref);
  if (tag === '') return parsed;
  if (parsed.digest !== undefined) {
    throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'cannot push a digest reference');
  }
  if (!isTag(tag)) throw new EngineError('invalidArgument', 'INVALID_TAG', 'invalid tag format');
  return { domain: parsed.domain, path: parsed.path, tag };
}

/** `docker push`: one tag, or all of a repository. */
export async function push(
  parts: PushParts,
  request: PushRequest,
  signal: AbortSignal,
  report: (line: ProgressLine) => void,
): Promise<void> {
  const target = parsePushTarget(request.ref, request.tag);
  const platform = request.platform === '' ? undefined : parsePlatformOption(request.platform);
  report({ status: `The push refers to repository [${repositoryName(target)}]` });
  const names = namesToPush(parts, target);
  const repository = parts.client.repository(target, { credentials: request.credentials, actions: 'push' });
  for (const name of names) await pushOne(parts, { repository, name, signal, report }, platform);
  const image = target.tag === undefined ? undefined : parts.catalog.findNamed(target);
  const config = image && (await parts.catalog.config(image.id));
  parts.emit('push', familiarReference(target), imageAttributes(familiarName(target), config));
}

/** The tags meant. @throws notFound, or invalidArgument, with Docker's texts. */
function namesToPush({ store }: PushParts, target: ImageReference): ImageReference[] {
  const all = [...store.images.allReferences().values()].flat();
  const repository = repositoryName(target);
  if (!all.some((name) => repositoryName(parseReference(name)) === repository)) {
    throw cannotPush('NO_LOCAL_IMAGE', `An image does not exist locally with the tag: ${familiarName(target)}`);
  }
  if (target.digest !== undefined) {
    throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'cannot push a digest reference');
  }
  const tags = all.map(parseReference).filter((name) => isTagOf(name, repository));
  if (target.tag === undefined) {
    if (tags.length === 0) throw cannotPush('NO_TAGS', `no tags to push for ${familiarName(target)}`);
    return tags;
  }
  if (!tags.some(({ tag }) => tag === target.tag)) {
    throw cannotPush('NO_SUCH_TAG', `tag does not exist: ${familiarReference(target)}`);
  }
  return [target];
}

function isTagOf(name: ImageReference, repository: string): boolean {
  return name.tag !== undefined && name.digest === undefined && repositoryName(name) === repository;
}

async function pushOne(parts: PushParts, target: PushTarget, platform: oci.Platform | undefined): Promise<void> {
  const { store } = parts;
  const { name, report } = target;
  const meant = store.images.target(formatReference(name));
  if (!meant) throw cannotPush('NO_SUCH_TAG', `tag does not exist: ${familiarReference(name)}`);
  using lease = store.leases.open();
  try {
    const plan = await planPush(parts, familiarReference(name), meant, platform);
    pin(lease, plan);
    for (const child of plan.children) {
      const ready = await pushBlobs(parts, target, { ...child });
      await put(parts, target, child.digest, ready);
    }
    const ready = await pushBlobs(parts, target, plan.top);
    const digest = await put(parts, target, name.tag ?? '', ready);
    if (isOfMeant(store, meant, plan)) rememberDigest(parts, name, digest, plan);
    const tag = name.tag ?? '';
    const size = ready.bytes.byteLength;
    report({ status: `${tag}: digest: ${digest} size: ${size}` });
    report({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } });
    if (plan.note) report({ progressDetail: {}, aux: plan.note });
  } finally {
    lease[Symbol.dispose]();
    store.collectLater();
  }
}

function pin(lease: Lease, plan: PushPlan): void {
  const pinManifest = (manifest: PlannedManifest): void => {
    lease.pinBlob(manifest.digest);
    for (const { digest } of manifest.blobs) lease.pinBlob(digest);
  };
  for (const manifest of [...plan.children, plan.top]) pinManifest(manifest);
}

async function put(parts: PushParts, target: PushTarget, reference: string, ready: ReadyManifest): Promise<Digest> {
  const { repository, name, signal } = target;
  failpoint('push-before-manifest');
  const expected = `sha256:${createHash('sha256').update(ready.bytes).digest('hex')}` as Digest;
  const digest = await repository.putManifest(reference, ready, { signal });
  failpoint('push-manifest-put');
  if (digest !== expected) {
    throw new EngineError('dataLoss', 'MANIFEST_CHANGED', `the registry keeps ${expected} as ${digest}`);
  }
  // What was put as it is stored is known from now on as it is.
  if (ready.digest === digest) parts.sources.remember(name, [digest]);
  return digest;
}

/**
 * Whether what was pushed is what the name means. Another platform of its index is found by its digest without a name
 * of its own, and the image that the name means is not it.
 */
function isOfMeant(store: Store, meant: Target, plan: PushPlan): boolean {
  if (plan.index !== undefined || meant.indexDigest === undefined) return true;
  const entries = store.indexes.entries(meant.indexDigest);
  const pushed = entries.find((entry) => entry.manifestDigest === plan.top.digest);
  return pushed !== undefined && pushed.imageId === meant.imageId;
}

/** `repository@digest` names the image here too, from now on. */
function rememberDigest({ store }: PushParts, name: ImageReference, digest: Digest, plan: PushPlan): void {
  const reference = `${repositoryName(name)}@${digest}`;
  store.transaction(() => {
    const image = store.images.find(plan.image.id);
    if (!image || store.images.resolve(reference) === image.id) return;
    const hasIndex = plan.index !== undefined && store.indexes.has(plan.index);
    if (plan.index !== undefined && !hasIndex) return;
    store.images.tag(reference, image.id, image.taggedAt ?? formatRfc3339Nano(nowNano()), plan.index);
  });
}
