import type { Readable } from 'node:stream';
import type { PackOptions } from '../contract.ts';
import { PackStream } from './pack-stream.ts';

/**
 * Packs a directory, in a thread whose root is that directory, into an uncompressed tar.
 *
 * The caller owns the stream. Packing goes at the reader's pace, and after `close` nothing touches the directory any more;
 * destroying the stream, or aborting the signal, stops it. Names are in byte order, so equal trees give equal archives.
 * The tree may be in use: what vanishes meanwhile is left out, a file that shrinks is filled up with zeros. Sockets are
 * left out, as are the overlay filesystem's xattrs.
 *
 * @throws {@link EngineError} through the stream: notFound when there is no such path.
 */
export function packTree(options: PackOptions): Readable {
  const job = {
    kind: 'pack' as const,
    root: options.root,
    path: options.path ?? '',
    rename: options.rename,
    overlayUpper: options.mode === 'overlay-upper',
  };
  return PackStream.start(job, options.signal);
}
