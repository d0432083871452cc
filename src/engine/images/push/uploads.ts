import { Semaphore } from '#lib';

/** Slots for layers on their way to registries, shared by all pushes. */
export class Uploads {
  readonly #slots: Semaphore;

  constructor(maxConcurrent: number) {
    this.#slots = new Semaphore(maxConcurrent);
  }

  /** Runs `upload` when there is a slot. @param onWait - called when there is none yet. */
  async run<T>(upload: () => Promise<T>, options: { onWait: () => void; signal: AbortSignal }): Promise<T> {
    if (this.#slots.isFull) options.onWait();
    return await this.#slots.run(upload, options.signal);
  }
}
