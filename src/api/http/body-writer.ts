import type { ServerResponse } from 'node:http';

/** What is gathered before it is sent without waiting for the event loop's next turn. */
const flushBytes = 64 * 1024;

/**
 * Writes a streamed body: small pieces of one turn of the event loop leave as one chunk, and a slow client holds
 * the writer back.
 */
export class BodyWriter {
  readonly #response: ServerResponse;
  #pending: Buffer[];
  #pendingBytes: number;
  #scheduled: boolean;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#scheduled = false;
  }

  /** @returns something to await before writing more when the client is slow; it resolves also when the client goes. */
  write(...pieces: Buffer[]): Promise<void> | undefined {
    for (const piece of pieces) {
      this.#pending.push(piece);
      this.#pendingBytes += piece.length;
    }
    if (this.#pendingBytes >= flushBytes) return this.#flush();
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        void this.#flush();
      });
    }
    return this.#response.writableNeedDrain ? this.#drained() : undefined;
  }

  /** Sends what is left and ends the response. */
  end(): void {
    void this.#flush();
    this.#response.end();
  }

  #flush(): Promise<void> | undefined {
    if (this.#pendingBytes === 0 || this.#response.writableEnded || this.#response.destroyed) return undefined;
    const bytes = this.#pending.length === 1 && this.#pending[0] ? this.#pending[0] : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return this.#response.write(bytes) ? undefined : this.#drained();
  }

  #drained(): Promise<void> | undefined {
    if (this.#response.destroyed) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#response.on('close', done);
    });
  }
}
