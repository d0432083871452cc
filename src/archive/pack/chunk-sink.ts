import { readSync } from 'node:fs';
import { EngineError } from '#errors';
import type { JobControl } from '../workers/job-control.ts';

/** One message to the reader: many small files, or a part of a large one. */
const CHUNK_BYTES = 256 * 1024;

/** Gathers what a worker writes into chunks, and blocks the thread while the reader is behind. */
export class ChunkSink {
  readonly #control: JobControl;
  readonly #send: (chunk: Uint8Array<ArrayBuffer>) => void;
  #buffer: Uint8Array<ArrayBuffer>;
  #filled: number;

  /** @param send - gets chunks that are all of their ArrayBuffer. */
  constructor(control: JobControl, send: (chunk: Uint8Array<ArrayBuffer>) => void) {
    this.#control = control;
    this.#send = send;
    this.#buffer = new Uint8Array(CHUNK_BYTES);
    this.#filled = 0;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      const taken = Math.min(bytes.byteLength - at, this.#room());
      this.#buffer.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
    }
  }

  /** Reads exactly `length` bytes of a file straight into the chunks; if it has become shorter, zeros follow. */
  copyFile(fd: number, length: number): void {
    let left = length;
    let ended = false;
    while (left > 0) {
      const wanted = Math.min(left, this.#room());
      const read: number = ended ? 0 : readSync(fd, this.#buffer, this.#filled, wanted, null);
      ended ||= read === 0;
      const taken = ended ? wanted : read;
      if (ended) this.#buffer.fill(0, this.#filled, this.#filled + taken);
      this.#filled += taken;
      left -= taken;
    }
  }

  flush(): void {
    if (this.#filled === 0) return;
    if (!this.#control.takeCredit(this.#filled)) {
      throw new EngineError('cancelled', 'ARCHIVE_CANCELLED', 'packing was cancelled');
    }
    const full = this.#filled === this.#buffer.byteLength;
    this.#send(full ? this.#buffer : this.#buffer.slice(0, this.#filled));
    if (full) this.#buffer = new Uint8Array(CHUNK_BYTES);
    this.#filled = 0;
  }

  #room(): number {
    if (this.#filled === this.#buffer.byteLength) this.flush();
    return this.#buffer.byteLength - this.#filled;
  }
}
