import { addAbortSignal, Readable } from 'node:stream';
import type { PackOptions } from '../contract.ts';
import { JobControl } from '../workers/job-control.ts';
import { packPool } from '../workers/pools.ts';
import type { Job } from '../workers/protocol.ts';

/** How far the worker may be ahead of the reader. */
const WINDOW_BYTES = 1024 * 1024;

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
  const job: Job = {
    kind: 'pack',
    root: options.root,
    path: options.path ?? '',
    rename: options.rename,
    overlayUpper: options.mode === 'overlay-upper',
  };
  const stream = new PackStream(job, options.signal);
  if (options.signal) addAbortSignal(options.signal, stream);
  return stream;
}

class PackStream extends Readable {
  readonly #job: Job;
  readonly #signal: AbortSignal | undefined;
  readonly #control: JobControl;
  #running: Promise<void> | undefined;
  #ungrantedBytes: number;
  #afterRun: (() => void) | undefined;
  #ended: boolean;

  constructor(job: Job, signal: AbortSignal | undefined) {
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
