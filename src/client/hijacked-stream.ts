import type { Socket } from 'node:net';
import type { NodeConnection } from './node-connection.ts';

/**
 * A connection taken over from HTTP: raw bytes both ways, each direction ending on its own.
 *
 * Iterate it for what the daemon sends; `mediaType` tells whether that is framed
 * (`application/vnd.docker.multiplexed-stream`, see `demultiplex`). Daemons before API 1.42 always say `raw-stream`.
 */
export class HijackedStream implements AsyncIterable<Buffer> {
  readonly mediaType: string;
  readonly #connection: NodeConnection;

  constructor(connection: NodeConnection, mediaType: string) {
    this.#connection = connection;
    this.mediaType = mediaType;
  }

  /** The socket beneath, for those who need its events; reading goes through iteration only. */
  get socket(): Socket {
    return this.#connection.socket;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (let chunk = await this.#connection.read(); chunk; chunk = await this.#connection.read()) yield chunk;
  }

  /** Sends, waiting while the daemon is slow. */
  async write(chunk: Uint8Array | string): Promise<void> {
    await this.#connection.write(chunk);
  }

  /** Tells the daemon that no more input comes; its output goes on. */
  closeWrite(): void {
    this.#connection.closeWrite();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}
