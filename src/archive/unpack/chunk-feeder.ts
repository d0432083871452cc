import type { Readable } from 'node:stream';
import type { ArchiveWorker } from '../workers/archive-worker.ts';

/** Messages between threads cost some 20 µs each, so small chunks are gathered. */
const MESSAGE_BYTES = 256 * 1024;
/** Sent but not yet consumed; beyond it the source is left waiting. */
const MAX_IN_FLIGHT_BYTES = 1024 * 1024;

/** Sends a stream to a worker as fast as that takes it. */
export class ChunkFeeder {
  readonly #worker: ArchiveWorker;
  readonly #stream: Readable;
  #buffer: Uint8Array<ArrayBuffer>;
  #filled: number;
  #inFlightBytes: number;
  #stopped: boolean;
  #wake: (() => void) | undefined;
  #sourceError: unknown;

  constructor(worker: ArchiveWorker, stream: Readable) {
    this.#worker = worker;
    this.#stream = stream;
    this.#buffer = new Uint8Array(MESSAGE_BYTES);
    this.#filled = 0;
    this.#inFlightBytes = 0;
    this.#stopped = false;
    this.#wake = undefined;
    this.#sourceError = undefined;
  }

  /** What the source failed with, if it did. */
  get sourceError(): unknown {
    return this.#sourceError;
  }

  /** Never rejects: see {@link sourceError}. The worker hears of the source's end or failure. */
  async run(): Promise<void> {
    try {
      for await (const chunk of this.#stream as AsyncIterable<Uint8Array>) {
        await this.#take(chunk);
        if (this.#stopped) return;
      }
      if (this.#stopped) return;
      this.#flush();
      this.#worker.endSource(false);
    } catch (error) {
      if (this.#stopped) return;
      this.#sourceError = error;
      this.#worker.endSource(true);
    }
  }

  consumed(bytes: number): void {
    this.#inFlightBytes -= bytes;
    this.#wake?.();
  }

  /** Ends feeding, at once also for a worker that waits for more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#stream.destroy();
    this.#worker.endSource(true);
    this.#wake?.();
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength && !this.#stopped;) {
      const taken = Math.min(chunk.byteLength - at, this.#buffer.byteLength - this.#filled);
      this.#buffer.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === this.#buffer.byteLength) this.#flush();
      while (this.#inFlightBytes >= MAX_IN_FLIGHT_BYTES && !this.#stopped) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#inFlightBytes += this.#filled;
    const full = this.#filled === this.#buffer.byteLength;
    this.#worker.send(full ? this.#buffer : this.#buffer.slice(0, this.#filled));
    this.#buffer = new Uint8Array(full ? MESSAGE_BYTES : 0);
    this.#filled = 0;
  }
}
