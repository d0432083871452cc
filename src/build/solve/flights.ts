/** Events kept for those who join later; of more, the first and what they missed least: the newest. */
const MAX_KEPT_EVENTS = 64;

/** One who waits for a flight, and hears of it in order. */
class Watcher<E> {
  readonly #watch: (event: E) => Promise<void> | void;
  #told: Promise<void>;

  constructor(watch: (event: E) => Promise<void> | void, missed: readonly E[]) {
    this.#watch = watch;
    this.#told = Promise.resolve();
    for (const event of missed) void this.tell(event);
  }

  /** Resolves when the event was taken. A watcher that fails has left, and holds nobody up. */
  tell(event: E): Promise<void> {
    this.#told = this.#told.then(() => this.#watch(event)).catch(() => undefined);
    return this.#told;
  }

  /** Resolves when all was taken. */
  told(): Promise<void> {
    return this.#told;
  }
}

interface Flight<T, E> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  readonly watchers: Set<Watcher<E>>;
  readonly kept: E[];
}

/**
 * Work that several want at once is done once, and all hear what happens in it, those who come later from its beginning. It is cancelled
 * when the last of those who wait is. Whoever began it waits for its end in any case, since it works with what is theirs.
 */
export class Flights<T, E> {
  readonly #flights = new Map<string, Flight<T, E>>();

  /** Joins the work of that key, or begins it. @param work - tells its events, and may wait until they were taken. */
  async join(
    key: string,
    signal: AbortSignal,
    watch: (event: E) => Promise<void> | void,
    work: (signal: AbortSignal, tell: (event: E) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const known = this.#flights.get(key);
    const flight = known ?? this.#begin(key, work);
    const watcher = new Watcher(watch, flight.kept);
    flight.watchers.add(watcher);
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      const result = await Promise.race([flight.result, left.promise]);
      await Promise.race([watcher.told(), left.promise]);
      return result;
    } finally {
      signal.removeEventListener('abort', leave);
      flight.watchers.delete(watcher);
      const isLast = flight.watchers.size === 0;
      if (isLast) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.stop.abort(signal.reason);
      }
      // Whoever cancelled finds nothing running any more.
      if (isLast || !known) await flight.result.catch(() => undefined);
    }
  }

  #begin(key: string, work: (signal: AbortSignal, tell: (event: E) => Promise<void>) => Promise<T>): Flight<T, E> {
    const stop = new AbortController();
    const watchers = new Set<Watcher<E>>();
    const kept: E[] = [];
    const tell = async (event: E): Promise<void> => {
      kept.push(event);
      if (kept.length > MAX_KEPT_EVENTS) kept.splice(1, 1);
      await Promise.all([...watchers].map((watcher) => watcher.tell(event)));
    };
    // Begun when whoever asks is among those who hear of it.
    const result = Promise.resolve()
      .then(() => work(stop.signal, tell))
      .finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      });
    const flight: Flight<T, E> = { result, stop, watchers, kept };
    result.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }
}
