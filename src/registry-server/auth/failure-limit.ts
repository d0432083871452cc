/** Counts failures per key within a window; memory stays bounded, the oldest keys are forgotten first. */
export class FailureLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #failures: Map<string, { count: number; sinceMs: number }>;

  constructor(limit: number, windowMs: number, maxKeys = 10_000) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
    this.#failures = new Map();
  }

  /** How long the key must wait; 0: not at all. */
  waitMs(key: string, nowMs: number = performance.now()): number {
    const entry = this.#failures.get(key);
    if (!entry || entry.count < this.#limit) return 0;
    return Math.max(0, entry.sinceMs + this.#windowMs - nowMs);
  }

  add(key: string, nowMs: number = performance.now()): void {
    const entry = this.#failures.get(key);
    if (entry && nowMs - entry.sinceMs < this.#windowMs) {
      entry.count += 1;
      return;
    }
    this.#failures.delete(key);
    this.#failures.set(key, { count: 1, sinceMs: nowMs });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > this.#maxKeys && oldest !== undefined) this.#failures.delete(oldest);
  }

  clear(key: string): void {
    this.#failures.delete(key);
  }
}
