import { addAbortSignal, Readable } from 'node:stream';
import { JobControl } from '../workers/job-control.ts';
import { packPool } from '../workers/pools.ts';
import type { Job } from '../workers/protocol.ts';

/** How far the worker may be ahead of the reader. */
const WINDOW_BYTES = 1024 * 1024;

/** A job's tar as a stream; the job starts when it is read and goes at the reader's pace. */
export class PackStream extends Readable {
  readonly #job: Job;
  readonly #signal: AbortSignal | undefined;
  readonly #control: JobControl;
  #running: Promise<void> | undefined;
  #ungrantedBytes: number;
  #afterRun: (() => void) | undefined;
  #ended: boolean;

  /** @param signal - ends the job and the stream. */
  static start(job: Job, signal: AbortSignal | undefined): PackStream {
    const stream = new PackStream(job, signal);
    if (signal) addAbortSignal(signal, stream);
    return stream;
  }

  private constructor(job: Job, signal: AbortSignal | undefined) {
    super({ highWaterMark: WINDOW_BYTES });
    this.#job = job;
    this.#signal = signal;
    this.#control = new JobControl();
    this.#running = undefined;
    this.#ungrantedBytes = WINDOW_BYTES;
    this.#afterRun = undefined;
    this.#ended = false;
  }

  override _read(): void {
    this.#running ??= this.#run();
    this.#control.grant(this.#ungrantedBytes);
    this.#ungrantedBytes = 0;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#control.cancel();
    if (this.#running && !this.#ended) this.#afterRun = () => callback(error);
    else callback(error);
  }

  /** Never rejects: failures go to the stream's reader. */
  async #run(): Promise<void> {
    try {
      const chunk = (bytes: Uint8Array): void => this.#onChunk(bytes);
      await packPool.use(this.#signal, (worker) => worker.run(this.#job, this.#control, { chunk }));
      this.push(null);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    this.#ended = true;
    this.#afterRun?.();
  }

  #onChunk(bytes: Uint8Array): void {
    if (this.destroyed) return;
    if (this.push(bytes)) this.#control.grant(bytes.byteLength);
    else this.#ungrantedBytes += bytes.byteLength;
  }
}
