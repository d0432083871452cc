/** Chunks that arrive as messages, to be iterated over; there is one reader. */
export class MessageSource implements AsyncIterable<Buffer> {
  readonly #consumed: (bytes: number) => void;
  readonly #chunks: Buffer[];
  #state: 'open' | 'ended' | 'broken';
  #wake: (() => void) | undefined;

  /** @param consumed - called with the length of each chunk when the reader is done with it. */
  constructor(consumed: (bytes: number) => void) {
    this.#consumed = consumed;
    this.#chunks = [];
    this.#state = 'open';
    this.#wake = undefined;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#wake?.();
  }

  /** No more comes; if the source broke off, the reader gets an error instead of an end. */
  end(broken: boolean): void {
    this.#state = broken ? 'broken' : 'ended';
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      if (this.#state === 'broken') throw new Error('the source of the archive broke off');
      const chunk = this.#chunks.shift();
      if (chunk) {
        yield chunk;
        this.#consumed(chunk.length);
      } else if (this.#state === 'ended') {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
      }
    }
  }
}
