/** At most `limit` pieces of work at once; the others wait in order. */
export class Semaphore {
  readonly #waiting: (() => void)[];
  #free: number;

  constructor(limit: number) {
    this.#waiting = [];
    this.#free = limit;
  }

  /** Whether the next piece of work would have to wait. */
  get isFull(): boolean {
    return this.#free === 0;
  }

  /** @throws the signal's reason when it aborts while waiting; the work has not begun then. */
  async run<T>(work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const grant = (): void => {
        signal?.removeEventListener('abort', abandon);
        resolve();
      };
      const abandon = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(grant), 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
      };
      this.#waiting.push(grant);
      signal?.addEventListener('abort', abandon, { once: true });
    });
  }
}
