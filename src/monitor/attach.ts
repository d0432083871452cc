import { closeSync } from 'node:fs';
import { finished, Readable, Writable } from 'node:stream';
import type { AttachConnection, AttachFrame, AttachSockets, SocketEvents } from './contract.ts';
import { errorOf, hasErrno } from './errors.ts';
import { type PacketBatch, receivePackets } from './packets.ts';

/** conmon reads at most 32 KiB at once and drops the rest of a larger packet. */
const STDIN_PACKET_BYTES = 16 * 1024;
/** Packets of 8 KiB come; this much is handed over at once. Connections of one thread share the memory for it. */
export const ATTACH_SCRATCH_BYTES: number = 256 * 1024;

export interface AttachOptions {
  sockets: AttachSockets;
  scratch: Buffer;
  mayEndStdin: boolean;
}

/**
 * A client's end of an attach socket, moved by this thread's event loop.
 *
 * The loop is woken by readiness only: while nobody reads {@link output} the socket is not watched, conmon's `send`
 * blocks, and the process's own pipe fills. While conmon takes no stdin, {@link stdin} holds its writers back.
 */
export class SocketConnection implements AttachConnection {
  readonly stdin: Writable;
  readonly output: Readable;
  readonly #fd: number;
  readonly #sockets: AttachSockets;
  readonly #watch: ReturnType<AttachSockets['watchFd']>;
  readonly #scratch: Buffer;
  readonly #mayEndStdin: boolean;
  /** What cannot be sent yet, and who waits for it. */
  #unsent: { data: Buffer; done: (error?: Error) => void } | undefined;
  #wanted: boolean;
  /** What the watch stands for, which changing costs as much as receiving a packet. */
  #watched: { readable: boolean; writable: boolean };
  #discarding: boolean;
  #closed: boolean;

  constructor(fd: number, options: AttachOptions) {
    const { sockets } = options;
    this.#fd = fd;
    this.#sockets = sockets;
    this.#scratch = options.scratch;
    this.#mayEndStdin = options.mayEndStdin;
    this.#unsent = undefined;
    this.#wanted = false;
    this.#watched = { readable: false, writable: false };
    this.#discarding = false;
    this.#closed = false;
    this.output = new Readable({
      objectMode: true,
      highWaterMark: 4,
      read: () => this.#want(),
      destroy: (error, callback) => {
        this.#release();
        callback(error);
      },
    });
    this.stdin = new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, callback) => this.#send(chunk, callback),
      final: (callback) => {
        this.#endStdin();
        callback();
      },
    });
    // A process that went away makes writing fail; that alone is no reason to lose its last output.
    this.stdin.on('error', () => undefined);
    finished(this.output, () => this.stdin.destroy());
    this.#watch = sockets.watchFd(fd, { readable: false }, (events) => this.#ready(events));
    this.#update();
  }

  /** Lets go. Output not read yet is lost; the process goes on, and so does its stdin unless this client held it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stdin.destroy();
    this.output.destroy();
  }

  #want(): void {
    this.#wanted = true;
    this.#update();
  }

  /**
   * Has the loop wake us for what we wait for. Readability stays watched when nobody wants it for now, until it wakes us
   * in vain: a reader that keeps pace never has the watch changed.
   */
  #update(): void {
    if (this.#closed) return;
    const readable = this.#wanted || this.#discarding || this.#watched.readable;
    this.#setWatch(readable, this.#unsent !== undefined);
  }

  #setWatch(readable: boolean, writable: boolean): void {
    if (readable === this.#watched.readable && writable === this.#watched.writable) return;
    this.#watched = { readable, writable };
    this.#watch.update(this.#watched);
  }

  #ready(events: SocketEvents): void {
    if (this.#closed) return;
    if (events.writable) this.#flush();
    if (this.#wanted || this.#discarding) this.#receive();
    else if (events.readable || events.disconnect) this.#setWatch(false, this.#watched.writable);
  }

  #receive(): void {
    let batch: PacketBatch;
    try {
      batch = receivePackets((into) => this.#receivePacket(into), this.#scratch);
    } catch (error) {
      this.#close();
      this.output.destroy(errorOf(error));
      return;
    }
    if (!this.#discarding) this.#handOver(batch.frames);
    if (!batch.ended) return;
    this.#close();
    if (!this.output.destroyed) this.output.push(null);
  }

  /** When conmon goes with our stdin unread, that is said once, before the output that still waits. */
  #receivePacket(into: Uint8Array): number | undefined {
    try {
      return this.#sockets.receive(this.#fd, into);
    } catch (error) {
      if (hasErrno(error, 'ECONNRESET')) return this.#sockets.receive(this.#fd, into);
      throw error;
    }
  }

  #handOver(frames: AttachFrame[]): void {
    let wanted = true;
    for (const frame of frames) wanted = this.output.push(frame);
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#update();
  }

  #send(data: Buffer, done: (error?: Error) => void): void {
    if (data.length === 0) {
      done();
      return;
    }
    this.#unsent = { data, done };
    this.#flush();
  }

  #flush(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    try {
      while (unsent.data.length > 0) {
        const sent = this.#sockets.send(this.#fd, unsent.data.subarray(0, STDIN_PACKET_BYTES));
        if (sent === undefined) {
          this.#update();
          return;
        }
        unsent.data = unsent.data.subarray(sent);
      }
    } catch (error) {
      this.#settle(errorOf(error));
      return;
    }
    this.#settle();
  }

  #settle(error?: Error): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    this.#update();
    unsent?.done(error);
  }

  #endStdin(): void {
    if (this.#closed || !this.#mayEndStdin) return;
    try {
      this.#sockets.shutdown(this.#fd, 'write');
    } catch (error) {
      if (!hasErrno(error, 'ENOTCONN', 'EPIPE')) throw error;
    }
  }

  /**
   * conmon takes a closed connection for the end of stdin. A client that must not end it stays connected, its output
   * thrown away, until the process ends.
   */
  #release(): void {
    if (this.#closed) return;
    if (this.#mayEndStdin) {
      this.#close();
      return;
    }
    this.#discarding = true;
    this.#watch.unref();
    this.#update();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    closeSync(this.#fd);
    this.#settle(new Error('the process has ended'));
  }
}
