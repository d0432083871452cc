/** Bytes received but not yet read, above which the peer is held back. */
const highWaterBytes = 256 * 1024;

/**
 * A connection with pull reading: chunks are handed out in order, can be put back, and the peer is held back while
 * nobody reads. The two directions end separately. Runtimes differ in their sockets, so those are below this.
 */
export abstract class Connection {
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  /** Hands a chunk over without waiting; false when the peer is slow, `write` then waits. */
  abstract send(chunk: Uint8Array | string): boolean;
  /** Ends our direction; the peer's goes on. */
  abstract closeWrite(): void;
  abstract destroy(): void;
  /** Whether an open but idle connection keeps the process alive. */
  abstract keepAlive(wanted: boolean): void;
  protected abstract pause(): void;
  protected abstract resume(): void;
  /** Resolves when the peer has caught up; rejects when the connection is lost before. */
  protected abstract drained(): Promise<void>;

  /** Whether the peer may still send and nothing went wrong. */
  get alive(): boolean {
    return !this.#ended && this.#error === undefined;
  }

  /** The next chunk, or undefined at the end of the stream. @throws the socket's error, after what came before it. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#waitingBytes -= chunk.length;
        if (this.#paused && this.#waitingBytes <= highWaterBytes) {
          this.#paused = false;
          this.resume();
        }
        return chunk;
      }
      if (this.#error) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Puts bytes back in front of what is still to be read. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#waitingBytes += chunk.length;
  }

  /** Writes and waits while the peer is slow. */
  async write(chunk: Uint8Array | string): Promise<void> {
    if (!this.send(chunk)) await this.drained();
  }

  /** For the socket below: bytes came. */
  protected received(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (!this.#paused && this.#waitingBytes > highWaterBytes) {
      this.#paused = true;
      this.pause();
    }
    this.#notify();
  }

  /** For the socket below: no more bytes will come, because of `error` if there is one. */
  protected finished(error?: Error): void {
    this.#error ??= error;
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
