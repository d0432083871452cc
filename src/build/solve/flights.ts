interface Flight<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * Work that several want at once is done once. It is cancelled when the last of those who wait is. Whoever began it waits for its end in any
 * case, since it works with what is theirs.
 */
export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Joins the work of that key, or begins it. */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const known = this.#flights.get(key);
    const flight = known ?? this.#begin(key, work);
    flight.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.stop.abort(signal.reason);
      }
      // Whoever cancelled finds nothing running any more.
      if (flight.waiting === 0 || !known) await flight.result.catch(() => undefined);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController();
    const result = work(stop.signal).finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    const flight: Flight<T> = { result, stop, waiting: 0 };
    result.catch(() => undefined);
    this.#flights.set(key, flight);
    return flight;
  }
}
