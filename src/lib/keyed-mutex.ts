/** Exclusion per key. Waiters are served in order; a wait can be cancelled; an idle key costs nothing. */
export class KeyedMutex {
  readonly #queues = new Map<string, (() => void)[]>();

  /**
   * Waits for the key's lock; dispose the answer to release it.
   *
   * @throws the signal's reason when it aborts before the lock was had.
   */
  async lock(key: string, signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    const queue = this.#queues.get(key);
    if (queue === undefined) {
      this.#queues.set(key, []);
    } else {
      await new Promise<void>((resolve, reject) => {
        const grant = (): void => {
          signal?.removeEventListener('abort', abandon);
          resolve();
        };
        const abandon = (): void => {
          queue.splice(queue.indexOf(grant), 1);
          reject(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
        };
        queue.push(grant);
        signal?.addEventListener('abort', abandon, { once: true });
      });
    }
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#release(key);
      },
    };
  }

  /** Runs `work` under the key's lock. */
  async run<T>(key: string, work: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    using _lock = await this.lock(key, signal);
    return await work();
  }

  #release(key: string): void {
    const queue = this.#queues.get(key);
    const next = queue?.shift();
    if (next) next();
    else this.#queues.delete(key);
  }
}
