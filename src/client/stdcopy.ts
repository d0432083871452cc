import { StdcopyDecoder } from '#spec';
import { ProtocolError } from './errors.ts';

/** A piece of a multiplexed stream. */
export interface StreamPiece {
  readonly stream: 'stdin' | 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/**
 * Takes Docker's multiplexed stream apart. Frames are not waited for: their bytes are passed on as they arrive.
 *
 * @throws {@link ProtocolError} with the daemon's text for its system-error frames; EngineError for what is no frame.
 */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamPiece, void, void> {
  const demultiplexer = new Demultiplexer();
  for await (const chunk of source) yield* demultiplexer.push(chunk);
}

/** The same for callers who push chunks themselves; any split of the input is fine. */
export class Demultiplexer {
  readonly #decoder = new StdcopyDecoder();

  *push(chunk: Uint8Array): Generator<StreamPiece, void, void> {
    for (const { stream, data: bytes } of this.#decoder.decode(asBuffer(chunk))) {
      if (stream === 'systemerr') {
        throw new ProtocolError(`error from daemon in stream: ${bytes.toString('utf8')}`);
      }
      yield { stream, bytes };
    }
  }
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
