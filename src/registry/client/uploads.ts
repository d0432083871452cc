import { EngineError } from '#errors';
import type { Digest } from '#spec';
import { parseUploadRange } from '../protocol/ranges.ts';
import { hasBlob } from './blobs.ts';
import { discard } from './body.ts';
import type { BlobPushed, BlobWanted } from './contract.ts';
import { repositoryScope } from './authorizer.ts';
import { cancelled, isTransient, registryFailure, statusOf } from './failures.ts';
import { pause, retryDelayMs, retrying } from './retry.ts';
import type { Session } from './session.ts';
import { headerOf, type HttpResponse } from './transport.ts';

export interface UploadOptions {
  readonly path: string;
  readonly open: (offsetBytes: number) => AsyncIterable<Uint8Array>;
  readonly mountFrom: readonly string[];
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
  readonly onMounted?: ((fromPath: string) => void) | undefined;
  readonly onRetry?: ((attempt: number, delayMs: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** An upload that the registry has begun: where the next piece goes. */
interface Upload {
  readonly location: URL;
  readonly offsetBytes: number;
  readonly leastChunkBytes: number;
}

/** Repositories beyond these are not asked: each costs a request. */
const MOST_MOUNTS = 4;

/** Brings a blob to the registry the cheapest way: it is there, it is mounted from another repository, or it is uploaded. */
export async function uploadBlob(session: Session, blob: BlobWanted, options: UploadOptions): Promise<BlobPushed> {
  const { signal } = options;
  const { limits } = session;
  const isThere = async (): Promise<boolean> => await hasBlob(session, options.path, blob.digest, signal);
  if (await retrying(isThere, { limits, signal })) return 'existed';
  const begun = await mount(session, blob.digest, options);
  if (begun === 'mounted') return 'mounted';
  await transfer(session, blob, options, begun);
  return 'uploaded';
}

/** A registry that cannot mount begins an upload instead, which then serves. */
async function mount(
  session: Session,
  digest: Digest,
  options: UploadOptions,
): Promise<Upload | 'mounted' | undefined> {
  let begun: Upload | undefined;
  for (const from of options.mountFrom.slice(0, MOST_MOUNTS)) {
    if (from === options.path) continue;
    try {
      const response = await session.expect(
        {
          method: 'POST',
          target: `${options.path}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`,
          scopes: [repositoryScope(from, 'pull')],
          signal: options.signal,
        },
        [201, 202],
      );
      await discard(response);
      if (begun) await cancelUpload(session, begun, options.signal);
      if (response.status === 201) {
        options.onMounted?.(from);
        return 'mounted';
      }
      begun = beginningOf(session, response);
    } catch (error) {
      // Mounting is a short cut. That it fails, for want of rights there for example, says nothing about uploading.
      if (options.signal.aborted) throw error;
    }
  }
  return begun;
}

async function cancelUpload(session: Session, upload: Upload, signal: AbortSignal): Promise<void> {
  try {
    await discard(await session.request({ method: 'DELETE', target: upload.location, signal }));
  } catch {
    // The registry drops abandoned uploads by itself.
  }
}

async function begin(session: Session, path: string, signal: AbortSignal): Promise<Upload> {
  const response = await session.expect({ method: 'POST', target: `${path}/blobs/uploads/`, signal }, [202]);
  await discard(response);
  return beginningOf(session, response);
}

function beginningOf(session: Session, response: HttpResponse): Upload {
  const least = Number(headerOf(response, 'oci-chunk-min-length') ?? 0);
  return {
    location: locationOf(session, response),
    offsetBytes: 0,
    leastChunkBytes: Number.isSafeInteger(least) && least > 0 ? least : 0,
  };
}

function locationOf(session: Session, response: HttpResponse, before?: URL): URL {
  const location = headerOf(response, 'location');
  if (location === undefined && before !== undefined) return before;
  if (location === undefined || !URL.canParse(location, response.request.url.href)) {
    throw registryFailure('unavailable', 'INVALID_UPLOAD_LOCATION', 'the registry did not say where to upload to');
  }
  return session.resolve(location, response.request.url);
}

/** Sends the content, going on after a break where the registry stands, and closes the upload. */
async function transfer(
  session: Session,
  blob: BlobWanted,
  options: UploadOptions,
  begun: Upload | undefined,
): Promise<void> {
  const { limits } = session;
  let upload = begun;
  let chunkBytes = Number.POSITIVE_INFINITY;
  let attempt = 0;
  let failedAtBytes = 0;
  for (;;) {
    let step = upload;
    try {
      step ??= await begin(session, options.path, options.signal);
      upload = step;
      if (await advanceToEnd()) return;
    } catch (error) {
      if (options.signal.aborted) throw cancelled(options.signal);
      if (statusOf(error) === 413 && Math.min(chunkBytes, blob.sizeBytes) > limits.smallestChunkBytes) {
        // Something between us and the registry bounds requests.
        chunkBytes = chunkBytes === Number.POSITIVE_INFINITY ? limits.chunkBytes : Math.floor(chunkBytes / 4);
      } else {
        if ((upload?.offsetBytes ?? 0) - failedAtBytes >= limits.progressBytes) attempt = 0;
        failedAtBytes = upload?.offsetBytes ?? 0;
        attempt += 1;
        const delayMs = retryDelayMs(asResumable(error), attempt, limits);
        if (delayMs === undefined) throw error;
        options.onRetry?.(attempt, delayMs);
        await pause(delayMs, options.signal);
      }
      if (upload && (await wasFinished(session, blob, options))) return;
      upload = upload && (await resume(session, upload, options.signal));
    }
  }

  async function advanceToEnd(): Promise<boolean> {
    if (upload === undefined) return false;
    if (upload.offsetBytes === 0 && blob.sizeBytes <= Math.min(limits.monolithicBytes, chunkBytes)) {
      await finish(session, blob, upload, options, blob.sizeBytes);
      return true;
    }
    while (upload.offsetBytes < blob.sizeBytes) {
      upload = await sendChunk(session, blob, upload, options, Math.max(chunkBytes, upload.leastChunkBytes));
    }
    await finish(session, blob, upload, options, 0);
    return true;
  }
}

/** An upload of which the registry knows no more, or that stands elsewhere than we think, is begun or taken up again. */
function asResumable(error: unknown): unknown {
  const status = statusOf(error);
  if (isTransient(error) || !(error instanceof EngineError) || (status !== 404 && status !== 416)) return error;
  return new EngineError(error.kind, error.code, error.message, { details: { ...error.details, transient: true } });
}

/** Whether the break came after all was done. */
async function wasFinished(session: Session, blob: BlobWanted, options: UploadOptions): Promise<boolean> {
  try {
    return await hasBlob(session, options.path, blob.digest, options.signal);
  } catch {
    if (options.signal.aborted) throw cancelled(options.signal);
    return false;
  }
}

/**
 * Asks where the upload stands. Undefined when it is gone, the registry does not say, or nothing has arrived: the stream that
 * broke off goes without offsets, and a registry may still be adding what it had of it.
 */
async function resume(session: Session, upload: Upload, signal: AbortSignal): Promise<Upload | undefined> {
  let response: HttpResponse;
  try {
    response = await session.request({ method: 'GET', target: upload.location, signal });
  } catch {
    if (signal.aborted) throw cancelled(signal);
    return undefined;
  }
  await discard(response);
  if (response.status !== 204 && response.status !== 202) return undefined;
  const range = parseUploadRange(headerOf(response, 'range'));
  // `0-0` is what many say of an upload without bytes. One byte more or less is not worth the doubt.
  if (range === undefined || range.end === 0) return undefined;
  return { ...upload, location: locationOf(session, response, upload.location), offsetBytes: range.end + 1 };
}

async function sendChunk(
  session: Session,
  blob: BlobWanted,
  upload: Upload,
  options: UploadOptions,
  chunkBytes: number,
): Promise<Upload> {
  const { offsetBytes } = upload;
  const lengthBytes = Math.min(chunkBytes, blob.sizeBytes - offsetBytes);
  const isWhole = offsetBytes === 0 && lengthBytes === blob.sizeBytes;
  const end = offsetBytes + lengthBytes;
  const response = await session.expect(
    {
      method: 'PATCH',
      target: upload.location,
      headers: {
        'Content-Type': 'application/octet-stream',
        // The stream of a whole blob goes without, as from Docker: some registries know nothing else.
        ...(isWhole ? {} : { 'Content-Range': `${offsetBytes}-${end - 1}` }),
      },
      body: contentFrom(options, offsetBytes, lengthBytes),
      signal: options.signal,
    },
    [201, 202, 204],
  );
  await discard(response);
  const range = parseUploadRange(headerOf(response, 'range'));
  const acceptedBytes = range === undefined ? end : range.end + 1;
  if (acceptedBytes > end || acceptedBytes <= offsetBytes) {
    throw registryFailure(
      'unavailable',
      'INVALID_UPLOAD_RANGE',
      `the registry says it has ${acceptedBytes} of ${end} bytes`,
      {
        transient: true,
      },
    );
  }
  return { ...upload, location: locationOf(session, response, upload.location), offsetBytes: acceptedBytes };
}

async function finish(
  session: Session,
  blob: BlobWanted,
  upload: Upload,
  options: UploadOptions,
  lengthBytes: number,
): Promise<void> {
  const location = new URL(upload.location);
  location.searchParams.set('digest', blob.digest);
  const response = await session.expect(
    {
      method: 'PUT',
      target: location,
      headers: { 'Content-Type': 'application/octet-stream' },
      ...(lengthBytes === 0 ? {} : { body: contentFrom(options, 0, lengthBytes) }),
      signal: options.signal,
    },
    [200, 201, 204],
  );
  await discard(response);
  const acknowledged = headerOf(response, 'docker-content-digest');
  if (acknowledged !== undefined && acknowledged !== blob.digest) {
    throw registryFailure(
      'dataLoss',
      'BLOB_DIGEST_MISMATCH',
      `the registry acknowledged ${acknowledged} for ${blob.digest}`,
    );
  }
}

function contentFrom(
  options: UploadOptions,
  offsetBytes: number,
  lengthBytes: number,
): { lengthBytes: number; open: () => AsyncIterable<Uint8Array>; onProgress: (sentBytes: number) => void } {
  return {
    lengthBytes,
    open: () => firstBytes(options.open(offsetBytes), lengthBytes),
    onProgress: (sentBytes) => options.onProgress?.(offsetBytes + sentBytes),
  };
}

async function* firstBytes(source: AsyncIterable<Uint8Array>, lengthBytes: number): AsyncGenerator<Uint8Array> {
  let left = lengthBytes;
  for await (const chunk of source) {
    const piece = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= piece.length;
    if (piece.length > 0) yield piece;
    if (left === 0) return;
  }
}
