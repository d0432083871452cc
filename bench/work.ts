import type { BenchEngine } from './engines/engine.ts';

/** One kind of work, measured on every engine in turn. */
export interface Work {
  readonly name: string;
  readonly title: string;
  readonly unit: 'ms' | 'MiB';
  /** Highest ratio to dockerd that we accept. */
  readonly bar?: number;
  readonly rounds: number;
  /** Engines that can do it; all, if not given. */
  readonly fits?: (engine: BenchEngine) => boolean;
  /** Before the first round; what it returns undoes it. */
  prepare?(engine: BenchEngine): Promise<() => Promise<void>>;
  /** One round: the value in `unit`. */
  round(engine: BenchEngine): Promise<number>;
}
