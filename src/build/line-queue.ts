import type { ProgressLine } from '#spec';

/** How many lines may wait for a slow reader before what writes them waits too. */
const MAX_WAITING = 256;

/** Lines from those who make them to the one who reads them, in order. */
export class LineQueue {
  readonly #lines: ProgressLine[] = [];
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  /** The writer waits while too many are waiting. */
  async push(line: ProgressLine): Promise<void> {
    this.#lines.push(line);
    this.#wake();
    while (this.#lines.length > MAX_WAITING && !this.#isClosed) await this.#changed.promise;
  }

  /** Nothing more comes, and nobody waits any more. Repeatable. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** All lines, until it is closed. */
  async *read(): AsyncGenerator<ProgressLine, void, undefined> {
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        if (this.#lines.length <= MAX_WAITING) this.#wake();
        yield line;
      }
      if (this.#isClosed) return;
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
