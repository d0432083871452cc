/** At most `limit` pieces of work at once; the others wait in order. */
export class Semaphore {
  readonly #waiting: (() => void)[];
  #free: number;

  constructor(limit: number) {
    this.#waiting = [];
    this.#free = limit;
  }

  async run<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
