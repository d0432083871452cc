import { createHash } from 'node:crypto';
import { EngineError } from '#errors';
import { isDigest, parseDigest, type Digest } from '#spec';
import { readWhole, discard } from './body.ts';
import type { RemoteManifest } from './contract.ts';
import { registryFailure } from './failures.ts';
import { MANIFEST_ACCEPT, manifestMediaType } from './manifest-type.ts';
import type { Session } from './session.ts';
import { headerOf, type HttpResponse } from './transport.ts';

/** A manifest's place: the repository's path on the registry, and a tag or digest. */
export interface ManifestPlace {
  readonly path: string;
  readonly reference: string;
  /** The whole normalised name, for messages. */
  readonly fullName: string;
}

function targetOf(place: ManifestPlace): string {
  return `${place.path}/manifests/${place.reference}`;
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

/** @throws dataLoss when the bytes are not those of the digest that was asked for, or that the registry told. */
export async function getManifest(
  session: Session,
  place: ManifestPlace,
  signal: AbortSignal,
): Promise<RemoteManifest> {
  const { limits } = session;
  const response = await session.expect(
    { method: 'GET', target: targetOf(place), headers: { Accept: MANIFEST_ACCEPT }, signal },
    [200],
  );
  refuseEncoding(response);
  const tooLong = (): EngineError => tooBig(limits.manifestBytes);
  const bytes = await readWhole(response, { capBytes: limits.manifestBytes, limits, tooLong });
  const digest = digestOf(bytes);
  const wanted = isDigest(place.reference) ? place.reference : headerOf(response, 'docker-content-digest');
  if (wanted !== undefined && isDigest(wanted) && wanted !== digest) {
    throw registryFailure(
      'dataLoss',
      'MANIFEST_DIGEST_MISMATCH',
      `manifest verification failed for digest ${wanted}: content is ${digest}`,
    );
  }
  return { digest, mediaType: manifestMediaType(bytes, headerOf(response, 'content-type'), place.fullName), bytes };
}

/** Undefined when there is none, or when the registry does not tell its digest this way ('untold'). */
export async function headManifest(
  session: Session,
  place: ManifestPlace,
  signal: AbortSignal,
): Promise<{ digest: Digest; mediaType: string; sizeBytes: number } | 'untold' | undefined> {
  const response = await session.request({
    method: 'HEAD',
    target: targetOf(place),
    headers: { Accept: MANIFEST_ACCEPT },
    signal,
  });
  if (response.status === 404) {
    await discard(response);
    return undefined;
  }
  if (response.status !== 200) throw await session.failure(response);
  await discard(response);
  const told = headerOf(response, 'docker-content-digest') ?? '';
  const digest = isDigest(place.reference) ? place.reference : told;
  const mediaType = (headerOf(response, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? '';
  const sizeBytes = Number(headerOf(response, 'content-length') ?? Number.NaN);
  if (told !== '' && told !== digest) {
    throw registryFailure('dataLoss', 'MANIFEST_DIGEST_MISMATCH', `manifest verification failed for digest ${digest}`);
  }
  if (!isDigest(digest) || mediaType === '' || !Number.isSafeInteger(sizeBytes)) return 'untold';
  return { digest, mediaType, sizeBytes };
}

/** @throws invalidArgument when `place` names another digest than that of the bytes; dataLoss when the registry acknowledges another. */
export async function putManifest(
  session: Session,
  place: ManifestPlace,
  manifest: { mediaType: string; bytes: Uint8Array },
  signal: AbortSignal,
): Promise<Digest> {
  const digest = digestOf(manifest.bytes);
  if (isDigest(place.reference) && place.reference !== digest) {
    throw new EngineError(
      'invalidArgument',
      'DIGEST_INVALID',
      `manifest has the digest ${digest}, not ${place.reference}`,
    );
  }
  const response = await session.expect(
    {
      method: 'PUT',
      target: targetOf(place),
      headers: { 'Content-Type': manifest.mediaType },
      body: { lengthBytes: manifest.bytes.length, open: () => once(manifest.bytes) },
      signal,
    },
    [200, 201, 202],
  );
  await discard(response);
  const acknowledged = headerOf(response, 'docker-content-digest');
  if (acknowledged !== undefined && isDigest(acknowledged) && acknowledged !== digest) {
    throw registryFailure(
      'dataLoss',
      'MANIFEST_DIGEST_MISMATCH',
      `the registry acknowledged ${acknowledged} for the manifest ${digest}`,
    );
  }
  return digest;
}

export async function deleteManifest(session: Session, place: ManifestPlace, signal: AbortSignal): Promise<void> {
  await discard(await session.expect({ method: 'DELETE', target: targetOf(place), signal }, [200, 202, 204]));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function tooBig(capBytes: number): EngineError {
  return registryFailure('invalidArgument', 'MANIFEST_TOO_BIG', `manifest is bigger than ${capBytes} bytes`);
}

/** We ask for none, and digests are of what is inside. */
function refuseEncoding(response: HttpResponse): void {
  const encoding = headerOf(response, 'content-encoding') ?? 'identity';
  if (encoding === 'identity' || encoding === '') return;
  response.release();
  response.message.destroy();
  throw registryFailure('unavailable', 'CONTENT_ENCODING', 'the registry encoded a manifest, which was not asked for');
}
