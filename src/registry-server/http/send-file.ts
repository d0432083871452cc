import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

/** As much as is read at once; a socket takes about that much without waiting. */
const pieceBytes = 512 * 1024;
/** Buffers kept for the next answer. Fresh ones cost more than reading into them, by the pages the kernel must find. */
const maxIdleBuffers = 64;

const idleBuffers: Buffer[] = [];

export interface FileRange {
  readonly start: number;
  /** Counted in. */
  readonly end: number;
}

/**
 * Sends a range of a file as the body, reading the next piece while one is on its way. `begin` is called when the file is
 * open, to send the headers.
 *
 * @throws ENOENT before `begin`; when the client goes away; when the file is shorter than the range.
 */
export async function sendFile(
  response: ServerResponse,
  path: string,
  range: FileRange,
  begin: () => void,
): Promise<void> {
  await using handle = await open(path, 'r');
  begin();
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let sending = Promise.resolve();
  try {
    for (let at = range.start, turn = 0; at <= range.end; turn ^= 1) {
      const buffer = turn === 0 ? buffers[0] : buffers[1];
      const wanted = Math.min(buffer.byteLength, range.end + 1 - at);
      const { bytesRead } = await handle.read(buffer, 0, wanted, at);
      if (bytesRead === 0) throw new Error(`${path} is shorter than it should be`);
      await sending;
      sending = write(response, buffer.subarray(0, bytesRead));
      // It is awaited in the next round; a failure in between is not lost, but must have somebody.
      sending.catch(() => undefined);
      at += bytesRead;
    }
    await sending;
  } catch (error) {
    response.destroy();
    await sending.catch(() => undefined);
    throw error;
  }
  response.end();
  // Not after a failure: the kernel may still be reading from them.
  for (const buffer of buffers) if (idleBuffers.length < maxIdleBuffers) idleBuffers.push(buffer);
}

function takeBuffer(): Buffer {
  return idleBuffers.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
}

/** Resolves when the kernel has the bytes, so that the buffer may be used again. */
async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = (): void => reject(new Error('the client went away'));
  response.once('close', onClose);
  response.write(bytes, (error) => {
    response.off('close', onClose);
    if (error) reject(error);
    else resolve();
  });
  return await promise;
}
