import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { LogSockets } from './contract.ts';
import { undelivered } from './errors.ts';

const CONNECT_MS = 10_000;
/** How often is looked whether the receiver has it: at first, and at most. */
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 100;

export type StreamAddress =
  | { kind: 'tcp'; host: string; port: number }
  | { kind: 'tls'; host: string; port: number; tls: ConnectionOptions }
  | { kind: 'unix'; path: string };

/**
 * A connection to a receiver that says nothing: what was written counts as delivered once the other host's kernel
 * acknowledged it (TCP) or the other process read it (unix). So what a dead receiver never got is known not to be delivered.
 */
export class StreamConnection {
  readonly #address: StreamAddress;
  readonly #sockets: Pick<LogSockets, 'unsentBytes'>;
  readonly #onData: (data: Buffer) => void;
  #link: Link | undefined;
  #closed: boolean;

  /** @param onData - What the receiver says. */
  constructor(
    address: StreamAddress,
    sockets: Pick<LogSockets, 'unsentBytes'>,
    onData: (data: Buffer) => void = () => undefined,
  ) {
    this.#address = address;
    this.#sockets = sockets;
    this.#onData = onData;
    this.#link = undefined;
    this.#closed = false;
  }

  /** @throws unavailable when it may not have arrived; the next call connects anew. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.#using(async (link) => {
      await link.write(bytes);
      await link.arrived(this.#sockets);
    });
  }

  /** Waits for something that the receiver says, as long as there is a connection. @throws unavailable */
  async wait(answer: Promise<unknown>): Promise<void> {
    await this.#using((link) => Promise.race([answer, link.lost]));
  }

  close(): void {
    this.#closed = true;
    this.#link?.destroy();
    this.#link = undefined;
  }

  async #using(work: (link: Link) => Promise<unknown>): Promise<void> {
    if (this.#closed) throw undelivered('the log driver is closed');
    this.#link ??= new Link(this.#address, this.#onData);
    const link = this.#link;
    try {
      await link.ready;
      await work(link);
    } catch (cause) {
      link.destroy();
      if (this.#link === link) this.#link = undefined;
      throw undelivered(`the log receiver at ${shown(this.#address)}: ${textOf(cause)}`, cause);
    }
  }
}

/** One life of a connection. */
class Link {
  readonly #raw: Socket;
  readonly #socket: Socket;
  /** Rejects when the connection is no more. */
  readonly lost: Promise<never>;
  readonly ready: Promise<unknown>;

  constructor(address: StreamAddress, onData: (data: Buffer) => void) {
    const raw = connectSocket(address.kind === 'unix' ? { path: address.path } : { ...address, noDelay: true });
    this.#raw = raw;
    this.#socket =
      address.kind === 'tls'
        ? connectTls({ ...address.tls, socket: raw, ...(isIP(address.host) ? {} : { servername: address.host }) })
        : raw;
    const lost = Promise.withResolvers<never>();
    const ready = Promise.withResolvers<unknown>();
    lost.promise.catch(ready.reject);
    ready.promise.catch(() => undefined);
    this.lost = lost.promise;
    this.ready = ready.promise;
    for (const socket of new Set([raw, this.#socket])) {
      socket.on('error', lost.reject);
      socket.on('close', () => lost.reject(new Error('the connection was closed')));
    }
    this.#socket.on('end', () => this.#socket.destroy());
    this.#socket.on('data', onData);
    const timer = setTimeout(() => this.#socket.destroy(new Error('no answer')), CONNECT_MS);
    void this.ready.catch(() => undefined).then(() => clearTimeout(timer));
    this.#socket.once(address.kind === 'tls' ? 'secureConnect' : 'connect', ready.resolve);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => (error ? written.reject(error) : written.resolve()));
    await Promise.race([written.promise, this.lost]);
  }

  async arrived(sockets: Pick<LogSockets, 'unsentBytes'>): Promise<void> {
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
      const fd = descriptorOf(this.#raw);
      if (fd === undefined) return await this.lost;
      const arrived = sockets.unsentBytes(fd) === 0;
      // A connection that broke has nothing unsent either; that is told in this turn.
      await Promise.race([nextTurn(), this.lost]);
      if (arrived) return;
      await Promise.race([delay(waitMs), this.lost]);
    }
  }

  destroy(): void {
    this.#socket.destroy();
    this.#raw.destroy();
  }
}

/** Node has no public name for it. Undefined once the socket is closed. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

function shown(address: StreamAddress): string {
  return address.kind === 'unix' ? `unix://${address.path}` : `${address.kind}://${address.host}:${address.port}`;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
