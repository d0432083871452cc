import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EngineError } from '#errors';
import type { JobControl } from './job-control.ts';
import { type FromWorker, fromWireError, type Job, type JobResult, type ToWorker } from './protocol.ts';

/** What a running job tells its caller besides its end. */
export interface JobEvents {
  consumed?: (bytes: number) => void;
  chunk?: (bytes: Uint8Array) => void;
}

interface Running {
  events: JobEvents;
  resolve: (result: JobResult) => void;
  reject: (error: Error) => void;
}

/** The caller's side of one worker thread. It keeps the process alive only during a job. */
export class ArchiveWorker {
  readonly #worker: Worker;
  #running: Running | undefined;
  #dead: boolean;

  constructor() {
    // The build turns worker.ts into worker.js, beside this file.
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
    this.#worker.unref();
    this.#running = undefined;
    this.#dead = false;
    this.#worker.on('message', (message: FromWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#onEnd(error));
    this.#worker.on('exit', (code) => this.#onEnd(new Error(`exit code ${code}`)));
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Settles when the worker is out of the job's tree again. */
  run(job: Job, control: JobControl, events: JobEvents): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.#running = { events, resolve, reject };
      if (this.#dead) return this.#onEnd(new Error('it ended before'));
      this.#worker.ref();
      this.#post({ kind: 'job', job, control: control.cells });
    });
  }

  /** Hands over the memory of `bytes`, which must be all of its ArrayBuffer. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#post({ kind: 'chunk', bytes }, [bytes.buffer]);
  }

  endSource(broken: boolean): void {
    this.#post({ kind: 'sourceEnd', broken });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #onMessage(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        return;
      case 'consumed':
        this.#running?.events.consumed?.(message.bytes);
        return;
      case 'chunk':
        this.#running?.events.chunk?.(message.bytes);
        return;
      case 'done':
        this.#settle()?.resolve(message.result);
        return;
      case 'failed':
        this.#settle()?.reject(fromWireError(message.error));
    }
  }

  #onEnd(cause: unknown): void {
    this.#dead = true;
    const message = 'the thread that unpacks and packs archives ended unexpectedly';
    this.#settle()?.reject(new EngineError('internal', 'ARCHIVE_WORKER', message, { cause }));
  }

  #settle(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    this.#worker.unref();
    return running;
  }
}
