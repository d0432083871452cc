import type { IncomingMessage } from 'node:http';
import { registryError } from '../errors.ts';

/** A body that arrives slower than this is not waited for: it holds a connection and a file. */
const minBytesPerSecond = 1024;
/** How long a body may be slower, for networks that stall. */
const graceMs = 60_000;

/** `Content-Length`; undefined for a body sent in chunks. */
export function contentLength(request: IncomingMessage): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** Whether a body follows, as far as the headers tell. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (contentLength(request) ?? 0) > 0;
}

/**
 * The pieces of the body. Breaking off leaves the connection usable for the answer.
 *
 * @throws when the client goes away in the middle, or is too slow.
 */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Buffer, void> {
  const startMs = performance.now();
  let received = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    received += bytes.byteLength;
    const lateMs = performance.now() - startMs - graceMs;
    if (lateMs > 0 && received < (lateMs / 1000) * minBytesPerSecond) {
      throw registryError('BLOB_UPLOAD_INVALID', { status: 408, message: 'the body arrives too slowly' });
    }
    yield bytes;
  }
}

/** The whole body in memory. @throws {@link EngineError} what `tooLarge` gives when it is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number, tooLarge: () => Error): Promise<Buffer> {
  if ((contentLength(request) ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bodyOf(request)) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
