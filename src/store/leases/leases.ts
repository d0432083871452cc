import type { ChainId, Digest } from '#spec';

/**
 * Pins what an operation is building, until something durable refers to it. Disposing releases all of its pins.
 *
 * Leases live in memory: whoever held one is gone when the process is, and start-up sweeps what nobody refers to.
 */
export interface Lease extends Disposable {
  pinBlob(digest: Digest): void;
  /** Its parents stay with it. */
  pinLayer(chainId: ChainId): void;
}

/** All leases in force; the collector's third kind of root beside images and containers. */
export class Leases {
  readonly #open: Set<{ blobs: Set<Digest>; layers: Set<ChainId> }>;

  constructor() {
    this.#open = new Set();
  }

  open(): Lease {
    const pins = { blobs: new Set<Digest>(), layers: new Set<ChainId>() };
    this.#open.add(pins);
    return {
      pinBlob: (digest) => void pins.blobs.add(digest),
      pinLayer: (chainId) => void pins.layers.add(chainId),
      [Symbol.dispose]: () => void this.#open.delete(pins),
    };
  }

  *blobs(): Generator<Digest> {
    for (const pins of this.#open) yield* pins.blobs;
  }

  *layers(): Generator<ChainId> {
    for (const pins of this.#open) yield* pins.layers;
  }
}
