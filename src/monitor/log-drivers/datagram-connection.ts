import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { LogDriverHost } from './contract.ts';
import { undelivered } from './errors.ts';

const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 100;
const CLOSED = 'the log driver is closed';

export interface DatagramConnection {
  /** @throws unavailable when the receiver is known not to be there; the next call connects anew. */
  send(packets: readonly Uint8Array[]): Promise<void>;
  close(): void;
}

/** Packets that may get lost on the way; only a host that says that nobody listens is noticed. */
export class UdpConnection implements DatagramConnection {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #failure: Error | undefined;
  #closed: boolean;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
    this.#socket = undefined;
    this.#failure = undefined;
    this.#closed = false;
  }

  async send(packets: readonly Uint8Array[]): Promise<void> {
    if (this.#closed) throw undelivered(CLOSED);
    try {
      const socket = (this.#socket ??= await this.#connect());
      for (const packet of packets) await this.#sendOne(socket, packet);
      // "Nobody listens" comes with the next turn.
      await nextTurn();
      await nextTurn();
      if (this.#failure) throw this.#failure;
    } catch (cause) {
      this.#drop();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw undelivered(`the log receiver at udp://${this.#host}:${this.#port}: ${why}`, cause);
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #connect(): Promise<Socket> {
    const socket = createSocket(isIPv6(this.#host) ? 'udp6' : 'udp4');
    const connected = Promise.withResolvers<void>();
    this.#failure = undefined;
    socket.on('error', (error) => {
      this.#failure = error;
      connected.reject(error);
    });
    socket.connect(this.#port, this.#host, connected.resolve);
    try {
      await connected.promise;
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  async #sendOne(socket: Socket, packet: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    const sent = Promise.withResolvers<void>();
    socket.send(packet, (error) => (error ? sent.reject(error) : sent.resolve()));
    await sent.promise;
  }

  #drop(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}

/** Packets to a process of this host, which has read them when `send` is done. */
export class UnixDatagramConnection implements DatagramConnection {
  readonly #path: string;
  readonly #host: LogDriverHost;
  #fd: number | undefined;
  #closed: boolean;

  constructor(path: string, host: LogDriverHost) {
    this.#path = path;
    this.#host = host;
    this.#fd = undefined;
    this.#closed = false;
  }

  async send(packets: readonly Uint8Array[]): Promise<void> {
    for (const packet of packets) await this.transfer((fd) => this.#host.sockets.send(fd, packet));
    await this.transfer((fd) => (this.#host.sockets.unsentBytes(fd) === 0 ? 0 : undefined));
  }

  /** Repeats `attempt` until it does not answer undefined. @throws unavailable */
  async transfer(attempt: (fd: number) => number | undefined): Promise<void> {
    try {
      for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
        if (this.#closed) throw new Error(CLOSED);
        const fd = (this.#fd ??= this.#host.sockets.connectDatagram(this.#path));
        if (attempt(fd) !== undefined) return;
        await delay(waitMs);
      }
    } catch (cause) {
      this.#drop();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw undelivered(`the log receiver at unixgram://${this.#path}: ${why}`, cause);
    }
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    if (this.#fd !== undefined) this.#host.files.closeFd(this.#fd);
    this.#fd = undefined;
  }
}
