import type { Digest } from '#spec';

/** Digests that are being written or linked, which the collector leaves alone. Whoever pins first and looks second is safe. */
export class Pins {
  readonly #counts: Map<Digest, number>;

  constructor() {
    this.#counts = new Map();
  }

  has(digest: Digest): boolean {
    return this.#counts.has(digest);
  }

  /** Dispose the answer when something durable refers to the blob. */
  pin(digest: Digest): Disposable {
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const left = (this.#counts.get(digest) ?? 1) - 1;
        if (left === 0) this.#counts.delete(digest);
        else this.#counts.set(digest, left);
      },
    };
  }
}
