import { Writable } from 'node:stream';

/** Longest output kept of a probe. */
const maxOutputBytes = 4096;

/** Takes all that a probe writes and keeps the beginning. */
export class ProbeOutput extends Writable {
  readonly #kept: Buffer[];
  #keptBytes: number;
  #cut: boolean;

  constructor() {
    super();
    this.#kept = [];
    this.#keptBytes = 0;
    this.#cut = false;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A copy: what comes lies in memory that the connection uses again.
    const part = Buffer.from(chunk.subarray(0, maxOutputBytes - this.#keptBytes));
    if (part.length > 0) this.#kept.push(part);
    this.#keptBytes += part.length;
    if (part.length < chunk.length) this.#cut = true;
    done();
  }

  /** What was kept, with dots where it was cut. */
  text(): string {
    return Buffer.concat(this.#kept).toString() + (this.#cut ? '...' : '');
  }
}
