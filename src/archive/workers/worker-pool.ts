import { ArchiveWorker } from './archive-worker.ts';

/** A thread costs about 40 ms to start and some MiB to keep. */
const IDLE_MS = 10_000;

/** A few worker threads, started when needed and ended when idle for a while. */
export class WorkerPool {
  readonly #maxWorkers: number;
  readonly #idle: Map<ArchiveWorker, NodeJS.Timeout>;
  readonly #waiting: Set<() => void>;
  #count: number;

  constructor(maxWorkers: number) {
    this.#maxWorkers = maxWorkers;
    this.#idle = new Map();
    this.#waiting = new Set();
    this.#count = 0;
  }

  /** Lends a worker for the time of `use`; waits, until `signal` aborts, while all are lent. */
  async use<T>(signal: AbortSignal | undefined, use: (worker: ArchiveWorker) => Promise<T>): Promise<T> {
    const worker = await this.#acquire(signal);
    try {
      return await use(worker);
    } finally {
      this.#release(worker);
    }
  }

  /** Starts a worker if none is idle, so that the next job need not wait for it. */
  warmUp(): void {
    if (this.#idle.size > 0 || this.#count >= this.#maxWorkers) return;
    this.#count++;
    this.#keep(new ArchiveWorker());
  }

  /** Ends the idle workers; those at work end when their jobs do, if nobody waits for them. */
  async close(): Promise<void> {
    const idle = [...this.#idle.keys()];
    await Promise.all(idle.map((worker) => this.#retire(worker)));
  }

  async #acquire(signal: AbortSignal | undefined): Promise<ArchiveWorker> {
    for (;;) {
      signal?.throwIfAborted();
      const [idle] = [...this.#idle].at(-1) ?? [];
      if (idle) {
        clearTimeout(this.#idle.get(idle));
        this.#idle.delete(idle);
        if (!idle.dead) return idle;
        this.#count--;
      } else if (this.#count < this.#maxWorkers) {
        this.#count++;
        return new ArchiveWorker();
      } else {
        await this.#turn(signal);
      }
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  }

  #release(worker: ArchiveWorker): void {
    if (worker.dead) this.#count--;
    else this.#keep(worker);
    const [next] = this.#waiting;
    next?.();
  }

  #keep(worker: ArchiveWorker): void {
    this.#idle.set(worker, setTimeout(() => void this.#retire(worker), IDLE_MS).unref());
  }

  async #retire(worker: ArchiveWorker): Promise<void> {
    clearTimeout(this.#idle.get(worker));
    if (this.#idle.delete(worker)) this.#count--;
    await worker.terminate();
  }
}
