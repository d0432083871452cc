import { writev } from 'node:fs';
import { BrokenPipeError } from '../io.ts';

const retryMs = 2;

/**
 * Writes to a descriptor of the process without holding up anything else while the reader is slow.
 *
 * One call at a time.
 *
 * @throws BrokenPipeError when nobody reads any more.
 */
export async function writeToFd(fd: number, pieces: readonly Uint8Array[]): Promise<void> {
  let left = pieces.filter(({ length }) => length > 0);
  while (left.length > 0) {
    try {
      left = dropBytes(left, await writeSome(fd, left));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') throw new BrokenPipeError('broken pipe', { cause: error });
      if (code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

async function writeSome(fd: number, pieces: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, pieces, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}

function dropBytes(pieces: readonly Uint8Array[], count: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = count;
  for (const piece of pieces) {
    if (skip < piece.length) left.push(piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return left;
}
