import type { Readable } from 'node:stream';

/**
 * The bytes of a request. Stopping early leaves the stream open, since destroying it would take the connection along, and
 * with it the answer that says why; the rest is read and dropped.
 */
export async function* requestChunks(body: Readable): AsyncGenerator<Buffer, void, undefined> {
  let ended = false;
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    ended = true;
  } finally {
    if (!ended && !body.destroyed) body.on('error', () => undefined).resume();
  }
}
