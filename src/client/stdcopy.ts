import { ProtocolError } from './errors.ts';

/** A piece of a multiplexed stream. */
export interface StreamPiece {
  readonly stream: 'stdin' | 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

const names = ['stdin', 'stdout', 'stderr'] as const;
const systemErrorStream = 3;
const headerBytes = 8;

/**
 * Takes Docker's multiplexed stream apart. Frames are not waited for: their bytes are passed on as they arrive.
 *
 * @throws ProtocolError for an unknown stream number, and with the daemon's text for its system-error frames.
 */
export async function* demultiplex(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamPiece, void, void> {
  const demultiplexer = new Demultiplexer();
  for await (const chunk of source) yield* demultiplexer.push(chunk);
}

/** The same for callers who push chunks themselves; any split of the input is fine. */
export class Demultiplexer {
  #header = Buffer.alloc(headerBytes);
  #headerHave = 0;
  #frameLeft = 0;
  #stream = 0;
  #systemError: Uint8Array[] = [];

  *push(chunk: Uint8Array): Generator<StreamPiece, void, void> {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#frameLeft === 0) {
        offset += this.#takeHeader(chunk, offset);
        continue;
      }
      const bytes = chunk.subarray(offset, offset + this.#frameLeft);
      offset += bytes.length;
      this.#frameLeft -= bytes.length;
      if (this.#stream === systemErrorStream) this.#collectSystemError(bytes);
      else yield { stream: names[this.#stream] ?? 'stdout', bytes };
    }
  }

  #takeHeader(chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + headerBytes - this.#headerHave);
    this.#header.set(part, this.#headerHave);
    this.#headerHave += part.length;
    if (this.#headerHave === headerBytes) {
      this.#headerHave = 0;
      this.#stream = this.#header[0] ?? 0;
      this.#frameLeft = this.#header.readUInt32BE(4);
      if (this.#stream > systemErrorStream) throw new ProtocolError(`unrecognized stream: ${this.#stream}`);
    }
    return part.length;
  }

  #collectSystemError(bytes: Uint8Array): void {
    this.#systemError.push(Uint8Array.from(bytes));
    if (this.#frameLeft > 0) return;
    throw new ProtocolError(`error from daemon in stream: ${Buffer.concat(this.#systemError).toString('utf8')}`);
  }
}
