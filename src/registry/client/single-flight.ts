import { cancelled } from './failures.ts';

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Lets callers who want the same at the same time share one piece of work. It is cancelled when the last of them gives up. */
export class SingleFlight<T> {
  readonly #flights: Map<string, Flight<T>>;

  constructor() {
    this.#flights = new Map();
  }

  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) throw cancelled(signal);
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiters += 1;
    let leave: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        leave = () => reject(cancelled(signal));
        signal.addEventListener('abort', leave, { once: true });
        flight.promise.then(resolve, reject);
      });
    } finally {
      if (leave) signal.removeEventListener('abort', leave);
      flight.waiters -= 1;
      if (flight.waiters === 0) this.#end(key, flight);
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { promise: work(controller.signal), controller, waiters: 0 };
    this.#flights.set(key, flight);
    flight.promise.then(
      () => this.#forget(key, flight),
      () => this.#forget(key, flight),
    );
    return flight;
  }

  #end(key: string, flight: Flight<T>): void {
    this.#forget(key, flight);
    flight.controller.abort();
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
