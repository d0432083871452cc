import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { encodeStdcopyHeader, type StdcopyStream } from '#spec';

/**
 * What a client sends over its raw connection. Ends when the client half-closes; destroying it discards the rest and
 * leaves the connection alone.
 */
export class SocketInput extends Readable {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) socket.pause();
    });
    socket.on('end', () => {
      if (!this.destroyed) this.push(null);
    });
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // Still read, so that the client's going away is noticed.
    this.#socket.resume();
    done(error);
  }
}

/**
 * One of a process's outputs on its way to a client, framed when `stream` is given. Several share a connection: ending
 * or destroying one leaves it open. A slow client holds the writer back.
 */
export class SocketOutput extends Writable {
  readonly #socket: Socket;
  readonly #stream: StdcopyStream | undefined;

  constructor(socket: Socket, stream: StdcopyStream | undefined) {
    super();
    this.#socket = socket;
    this.#stream = stream;
    socket.on('close', () => this.destroy());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.cork();
    const room = this.#send(chunk);
    this.#socket.uncork();
    this.#afterRoom(room, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    let room = true;
    for (const { chunk } of chunks) room = this.#send(chunk);
    this.#socket.uncork();
    this.#afterRoom(room, done);
  }

  #send(chunk: Buffer): boolean {
    if (chunk.length === 0) return !this.#socket.writableNeedDrain;
    if (this.#stream !== undefined) this.#socket.write(encodeStdcopyHeader(this.#stream, chunk.length));
    return this.#socket.write(chunk);
  }

  #afterRoom(room: boolean, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) {
      done(new Error('client disconnected'));
      return;
    }
    if (room || !this.#socket.writableNeedDrain) {
      done();
      return;
    }
    const settle = (): void => {
      this.#socket.off('drain', settle);
      this.#socket.off('close', settle);
      done(this.#socket.destroyed ? new Error('client disconnected') : null);
    };
    this.#socket.on('drain', settle);
    this.#socket.on('close', settle);
  }
}
