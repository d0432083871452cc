import type { CliIo } from '../io.ts';
import { humanSize } from '../output/units.ts';

const refreshMs = 75;

/** Counts bytes on their way and, on a terminal, shows how many. */
export class CopyProgress {
  #bytes = 0;
  #shownAtMs = 0;
  readonly #show: ((text: string) => void) | undefined;
  readonly #title: string;

  constructor(io: CliIo, title: string, quiet: boolean) {
    this.#title = title;
    this.#show = !quiet && io.isTerminal('stderr') ? (text) => io.err(text) : undefined;
  }

  async *count(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of source) {
      this.#bytes += chunk.length;
      if (this.#show && Date.now() - this.#shownAtMs >= refreshMs) {
        this.#show(`\r\u001B[2K${this.#title}${this.total}`);
        this.#shownAtMs = Date.now();
      }
      yield chunk;
    }
  }

  /** Bytes so far, for people. */
  get total(): string {
    return humanSize(this.#bytes, 3);
  }

  /** Takes the line off the terminal again. */
  clear(): void {
    if (this.#shownAtMs > 0) this.#show?.('\r\u001B[2K');
  }
}
