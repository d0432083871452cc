import type { Sys } from '#sys';

/** How long a daemon has nothing to do before it counts as at rest; the threads that unpack images end in as long. */
const quietMs = 12_000;
/** What timers and a look at logs take in that time, and no request. */
const idleCpuMs = 120;
/** Work that leaves something behind that is worth a collection of 50 ms. */
const workCpuMs = 300;

export interface RestOptions {
  processes: Pick<Sys['processes'], 'trimHeaps' | 'releaseProgramPages'>;
  /** Processor time of this process so far. */
  cpuMs: () => number;
  /** A full garbage collection; undefined where it is not to be had. */
  collect: (() => void) | undefined;
}

/**
 * Gives memory back once the daemon is at rest after some work: garbage, what the C library keeps of it, and the pages of
 * the program that only the work or the start needed.
 */
export class MemoryAtRest {
  readonly #options: RestOptions;
  #lastCpuMs: number;
  #restedAtCpuMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#lastCpuMs = options.cpuMs();
    this.#restedAtCpuMs = 0;
    this.#timer = undefined;
  }

  watch(): void {
    this.#timer = setInterval(() => this.check(), quietMs).unref();
  }

  /** To be called at the end of each period. Returns whether memory was given back. */
  check(): boolean {
    const now = this.#options.cpuMs();
    const quiet = now - this.#lastCpuMs < idleCpuMs;
    const worked = now - this.#restedAtCpuMs > workCpuMs;
    this.#lastCpuMs = now;
    if (!quiet || !worked) return false;
    this.#options.collect?.();
    this.#options.processes.trimHeaps();
    this.#options.processes.releaseProgramPages();
    this.#lastCpuMs = this.#restedAtCpuMs = this.#options.cpuMs();
    return true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
