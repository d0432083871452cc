import type { EngineError } from '#errors';
import type { Digest } from '#spec';
import { parseContentRange } from '../protocol/ranges.ts';
import { discard, readBody } from './body.ts';
import type { BlobWanted } from './contract.ts';
import { registryFailure, statusOf } from './failures.ts';
import type { Session } from './session.ts';
import { headerOf, type HttpResponse } from './transport.ts';

export function blobTarget(path: string, digest: Digest): string {
  return `${path}/blobs/${digest}`;
}

export async function hasBlob(session: Session, path: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
  const response = await session.request({ method: 'HEAD', target: blobTarget(path, digest), signal });
  if (response.status === 404) {
    await discard(response);
    return false;
  }
  if (response.status !== 200) throw await session.failure(response);
  await discard(response);
  return true;
}

/**
 * The bytes of a blob from `offsetBytes` on, over one connection: no more than belong to it; fewer when the connection ends early without
 * an error. A server that cannot start in the middle starts over, and what is known already is skipped.
 *
 * @throws dataLoss when the server tells another size or sends more.
 */
export async function* readBlobFrom(
  session: Session,
  source: { path: string; blob: BlobWanted; offsetBytes: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const { blob, offsetBytes } = source;
  const response = await open(session, source, signal);
  let toSkip = response.status === 206 ? 0 : offsetBytes;
  let left = blob.sizeBytes - offsetBytes;
  for await (const chunk of readBody(response, session.limits)) {
    const skipped = Math.min(toSkip, chunk.length);
    toSkip -= skipped;
    const fresh = skipped === 0 ? chunk : chunk.subarray(skipped);
    if (fresh.length > left) throw wrongSize(blob, 'the registry sends more');
    left -= fresh.length;
    if (fresh.length > 0) yield fresh;
    // Without a length nobody knows when a body ends; nothing after this is of interest.
    if (left === 0 && response.headers['content-length'] === undefined) return;
  }
}

async function open(
  session: Session,
  { path, blob, offsetBytes }: { path: string; blob: BlobWanted; offsetBytes: number },
  signal: AbortSignal,
): Promise<HttpResponse> {
  const target = blobTarget(path, blob.digest);
  const ask = async (headers: Record<string, string>): Promise<HttpResponse> =>
    await session.expect({ method: 'GET', target, headers, signal }, [200, 206]);
  let response: HttpResponse;
  try {
    response = await ask(offsetBytes === 0 ? {} : { Range: `bytes=${offsetBytes}-${blob.sizeBytes - 1}` });
  } catch (error) {
    if (statusOf(error) !== 416 || offsetBytes === 0) throw error;
    response = await ask({});
  }
  if (response.status === 206 && !isWantedRange(response, blob, offsetBytes)) {
    refuse(response);
    // A server that answers with other bytes than those asked for does not understand ranges.
    response = offsetBytes === 0 ? response : await ask({});
    if (response.status === 206) {
      refuse(response);
      throw registryFailure(
        'unavailable',
        'INVALID_RANGE',
        `the registry sends another range of ${blob.digest} than asked for`,
      );
    }
  }
  checkLength(response, blob);
  return response;
}

function isWantedRange(response: HttpResponse, blob: BlobWanted, offsetBytes: number): boolean {
  const range = parseContentRange(headerOf(response, 'content-range'));
  if (range === undefined || range.start !== offsetBytes || range.end >= blob.sizeBytes) return false;
  return range.totalBytes === undefined || range.totalBytes === blob.sizeBytes;
}

function checkLength(response: HttpResponse, blob: BlobWanted): void {
  const told = response.headers['content-length'];
  if (response.status !== 200 || told === undefined || Number(told) === blob.sizeBytes) return;
  const encoding = headerOf(response, 'content-encoding') ?? 'identity';
  refuse(response);
  throw wrongSize(
    blob,
    encoding === 'identity'
      ? `the registry has ${told}`
      : `the registry sends it in the encoding ${JSON.stringify(encoding)}`,
  );
}

function refuse(response: HttpResponse): void {
  response.release();
  response.message.on('error', () => undefined);
  response.message.destroy();
}

export function wrongSize(blob: BlobWanted, what: string): EngineError {
  return registryFailure(
    'dataLoss',
    'BLOB_SIZE_MISMATCH',
    `unexpected size of ${blob.digest}: expected ${blob.sizeBytes} bytes, ${what}`,
  );
}
