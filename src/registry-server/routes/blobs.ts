import { isErrno } from '#lib';
import { parseRange } from '#registry';
import type { Digest } from '#spec';
import { registryError } from '../errors.ts';
import { type Exchange, sendEmpty } from '../http/exchange.ts';
import { sendFile } from '../http/send-file.ts';
import { parseContentDigest } from '../names.ts';
import type { RegistryStorage } from '../storage/registry-storage.ts';

/** A push counts on a blob that it finds; how often that is written down. */
const touchAfterMs = 10 * 60_000;

interface BlobTarget {
  readonly repository: string;
  readonly digest: string;
}

/** `GET` and `HEAD` of a blob, whole or a range (end-2). */
export async function getBlob(storage: RegistryStorage, exchange: Exchange, target: BlobTarget): Promise<void> {
  const digest = parseContentDigest(target.digest);
  const link = storage.links.find(target.repository, digest);
  if (!link) throw unknownBlob(digest);
  if (Date.now() - link.seenMs > touchAfterMs) {
    storage.db.relaxed(() => storage.links.touch(target.repository, digest));
  }
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=31536000',
  };
  const { request } = exchange;
  if (matchesTag(request.headers['if-none-match'], digest)) return sendEmpty(exchange.response, 304, headers);
  const ifRange = request.headers['if-range'];
  const range =
    ifRange === undefined || ifRange === headers.ETag ? parseRange(request.headers.range, link.sizeBytes) : 'whole';
  if (range === 'unsatisfiable') {
    throw registryError('RANGE_INVALID', { headers: { 'Content-Range': `bytes */${link.sizeBytes}` } });
  }
  const part = range === 'whole' ? undefined : range;
  await sendBlob(exchange, storage.blobs.path(digest), digest, {
    status: part ? 206 : 200,
    start: part?.start ?? 0,
    end: part?.end ?? link.sizeBytes - 1,
    headers: part ? { ...headers, 'Content-Range': `bytes ${part.start}-${part.end}/${link.sizeBytes}` } : headers,
  });
}

interface FileAnswer {
  readonly status: number;
  readonly start: number;
  readonly end: number;
  readonly headers: Readonly<Record<string, string>>;
}

async function sendBlob(exchange: Exchange, path: string, digest: Digest, answer: FileAnswer): Promise<void> {
  const { response, request } = exchange;
  const length = answer.end - answer.start + 1;
  const headers = { ...answer.headers, 'Content-Length': String(length) };
  if (request.method === 'HEAD' || length === 0) {
    response.writeHead(answer.status, headers).end();
    return;
  }
  try {
    await sendFile(response, path, answer, () => response.writeHead(answer.status, headers));
  } catch (error) {
    throw isErrno(error, 'ENOENT') ? unknownBlob(digest, error) : error;
  }
}

/** `DELETE` of a blob (end-10): it is no longer in this repository. Its bytes go with the next collection. */
export async function deleteBlob(storage: RegistryStorage, exchange: Exchange, target: BlobTarget): Promise<void> {
  const digest = parseContentDigest(target.digest);
  const removed = await storage.write(() => {
    const id = storage.repositories.find(target.repository);
    return id !== undefined && storage.links.unlink(id, digest);
  });
  if (!removed) throw unknownBlob(digest);
  sendEmpty(exchange.response, 202, { 'Docker-Content-Digest': digest });
}

function unknownBlob(digest: Digest, cause?: unknown): Error {
  return registryError('BLOB_UNKNOWN', { detail: { digest }, cause });
}

/** Whether an `If-None-Match` header names this content. */
export function matchesTag(header: string | undefined, digest: Digest): boolean {
  const tags = (header ?? '').split(',').map((text) => text.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(`"${digest}"`) || tags.includes(digest);
}
