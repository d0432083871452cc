import { EngineError } from '#errors';

/** Streams of Docker's multiplexed format; `systemerr` carries the daemon's own errors. */
export type StdcopyStream = 'stdin' | 'stdout' | 'stderr' | 'systemerr';

const streams: readonly StdcopyStream[] = ['stdin', 'stdout', 'stderr', 'systemerr'];
const numbers: Readonly<Record<StdcopyStream, number>> = { stdin: 0, stdout: 1, stderr: 2, systemerr: 3 };

/** Bytes before each frame's payload: stream, three zeros, big-endian length. */
export const stdcopyHeaderBytes = 8;

/** The eight bytes that announce `payloadBytes` of `stream`. */
export function encodeStdcopyHeader(stream: StdcopyStream, payloadBytes: number): Buffer {
  const header = Buffer.alloc(stdcopyHeaderBytes);
  header[0] = numbers[stream];
  header.writeUInt32BE(payloadBytes, 4);
  return header;
}

/** One whole frame, for small payloads; large ones are better sent as header and payload. */
export function encodeStdcopyFrame(stream: StdcopyStream, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(stdcopyHeaderBytes + payload.length);
  frame.fill(0, 0, 4);
  frame[0] = numbers[stream];
  frame.writeUInt32BE(payload.length, 4);
  frame.set(payload, stdcopyHeaderBytes);
  return frame;
}

/** A piece of one stream; a frame that arrives in several chunks yields several pieces. */
export interface StdcopyPiece {
  stream: StdcopyStream;
  data: Buffer;
}

/**
 * Takes apart the multiplexed format from chunks cut anywhere. Payload bytes are passed on as they come (as views of
 * the chunk), so a frame that claims to be huge costs no memory.
 */
export class StdcopyDecoder {
  readonly #header: Buffer;
  #headerBytes: number;
  #stream: StdcopyStream;
  #payloadBytesLeft: number;

  constructor() {
    this.#header = Buffer.alloc(stdcopyHeaderBytes);
    this.#headerBytes = 0;
    this.#stream = 'stdout';
    this.#payloadBytesLeft = 0;
  }

  /** @throws {@link EngineError} dataLoss when the bytes are no frame header. */
  *decode(chunk: Buffer): Generator<StdcopyPiece, void, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadBytesLeft === 0) {
        at = this.#readHeader(chunk, at);
        continue;
      }
      const end = Math.min(at + this.#payloadBytesLeft, chunk.length);
      const data = chunk.subarray(at, end);
      this.#payloadBytesLeft -= data.length;
      at = end;
      yield { stream: this.#stream, data };
    }
  }

  /** Call at the end of input. @throws {@link EngineError} dataLoss when it ended inside a frame. */
  finish(): void {
    if (this.#headerBytes !== 0 || this.#payloadBytesLeft !== 0) {
      throw new EngineError('dataLoss', 'STDCOPY_TRUNCATED', 'multiplexed stream ended in the middle of a frame');
    }
  }

  #readHeader(chunk: Buffer, at: number): number {
    const taken = Math.min(stdcopyHeaderBytes - this.#headerBytes, chunk.length - at);
    chunk.copy(this.#header, this.#headerBytes, at, at + taken);
    this.#headerBytes += taken;
    if (this.#headerBytes < stdcopyHeaderBytes) return at + taken;
    const stream = streams[this.#header[0] ?? streams.length];
    if (stream === undefined) {
      throw new EngineError('dataLoss', 'STDCOPY_BAD_STREAM', `unrecognized stream: ${this.#header[0]}`);
    }
    this.#stream = stream;
    this.#payloadBytesLeft = this.#header.readUInt32BE(4);
    this.#headerBytes = 0;
    return at + taken;
  }
}
