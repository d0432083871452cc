import { closeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '#lib';
import type { DatagramBatch, FdWatch, Sys } from '#sys';
import { firstFrame, frame } from './exchange.ts';
import type { Forwarder } from './forwarder.ts';
import { lookup, type VisibleNetwork } from './lookup.ts';
import {
  HEADER_BYTES,
  MAX_UDP_BYTES,
  parseQuery,
  type Query,
  RCODE,
  type Rcode,
  TYPE,
  writeAddresses,
  writeBadQuery,
  writePointer,
  writeStatus,
  writeTruncated,
} from './message.ts';
import { redirect, RESOLVER_ADDRESS } from './redirect.ts';
import type { Upstream } from './upstreams.ts';

/** Of one container; so it cannot keep the others from asking. */
const MAX_PENDING = 256;
const MAX_CONNECTIONS = 64;
/** Nobody keeps a connection open for nothing. */
const CONNECTION_IDLE_MS = 10_000;
/** A client that asks and does not read its answers is let go. */
const MAX_UNREAD_BYTES = 262_144;
const MAX_TCP_BYTES = 65_535;
/** After so many batches the other work of the daemon has its turn. */
const BATCHES_PER_TURN = 4;

/** What a resolver is made of. */
export interface ResolverDeps {
  sys: Sys;
  logger: Logger;
  forwarder: Forwarder;
  /** For all resolvers: they answer in turn. */
  batch: DatagramBatch;
  /** For all, too: where an answer is written before it is copied to where it goes; of {@link MESSAGE_BYTES}. */
  scratch: Buffer;
  netnsPath: string;
  /** What this container is to know and whom it may ask, at this moment. */
  view(): ResolverView;
}

export interface ResolverView {
  networks: readonly VisibleNetwork[];
  upstreams: readonly Upstream[];
  /** Names of one label are asked outside only without this: resolvers that were told of `ndots` add a domain first. */
  keepsShortNames: boolean;
}

/** Where an answer goes; the message is only valid during the call. */
type Reply = (message: Buffer) => void;

/** Shuffles a copy: clients take the first one. */
function shuffled(addresses: readonly number[]): readonly number[] {
  if (addresses.length < 2) return addresses;
  const list = [...addresses];
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [list[index], list[other]] = [list[other] ?? 0, list[index] ?? 0];
  }
  return list;
}

/**
 * The resolver of one container: sockets in its network namespace, served by this thread.
 *
 * Answers about containers are written from one buffer into another, many with one call. What is forwarded waits
 * elsewhere, in bounded number.
 */
export class ContainerResolver {
  readonly #deps: ResolverDeps;
  readonly #server: Server;
  readonly #watch: FdWatch;
  readonly #udp: number;
  readonly #connections = new Set<Socket>();
  readonly #pending = new Set<() => void>();
  #open = true;

  /** Synchronous: when this is done containers may ask. @throws what the kernel says. */
  constructor(deps: ResolverDeps) {
    const { sys, netnsPath } = deps;
    this.#deps = deps;
    const { udp, tcp } = sys.namespaces.withNetns(netnsPath, () => openSockets(sys));
    this.#udp = udp;
    this.#watch = sys.sockets.watchFd(udp, { readable: true }, () => this.#receive());
    this.#server = createServer({ pauseOnConnect: false }, (socket) => this.#serve(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('error', (error) =>
      deps.logger.warn('a resolver cannot be reached over TCP', { netnsPath, error }),
    );
    this.#server.listen({ fd: tcp });
  }

  /** Repeatable. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.close();
    closeSync(this.#udp);
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    for (const cancel of this.#pending) cancel();
  }

  #receive(): void {
    const { batch, logger } = this.#deps;
    try {
      for (let round = 0; round < BATCHES_PER_TURN && this.#open; round++) {
        const count = batch.receive(this.#udp);
        for (let index = 0; index < count; index++) this.#takeDatagram(index);
        batch.send(this.#udp);
        if (count === 0) return;
      }
    } catch (error) {
      logger.warn('a resolver could not answer', { netnsPath: this.#deps.netnsPath, error });
    }
  }

  #takeDatagram(index: number): void {
    const { batch } = this.#deps;
    const packet = batch.packet(index);
    const query = parseQuery(packet);
    if ('rcode' in query) {
      if (query.rcode !== undefined) batch.add(index, writeBadQuery(batch.answer, packet, query.rcode));
      return;
    }
    const length = this.#answerAtOnce(batch.answer, packet, query, query.udpBytes);
    if (length !== undefined) return batch.add(index, length);
    const peer = batch.peer(index);
    this.#forward('udp', packet, query, (message) => {
      message.copy(batch.answer);
      batch.add(peer, message.length);
      batch.send(this.#udp);
    });
  }

  /** Writes the answer that needs nobody else. Undefined: it is to be forwarded. */
  #answerAtOnce(out: Buffer, packet: Buffer, query: Query, maxBytes: number): number | undefined {
    const view = this.#deps.view();
    if (query.badVersion) return writeStatus(out, packet, query, RCODE.noError);
    const found = lookup(view.networks, query);
    switch (found.kind) {
      case 'addresses':
        return writeAddresses(out, packet, query, shuffled(found.addresses), maxBytes);
      case 'pointer':
        return writePointer(out, packet, query, found.name);
      case 'nothing':
        return writeStatus(out, packet, query, RCODE.noError);
      case 'unknown':
        return this.#refuseAtOnce(out, packet, query, view);
    }
  }

  #refuseAtOnce(out: Buffer, packet: Buffer, query: Query, view: ResolverView): number | undefined {
    const refuse = (rcode: Rcode): number => writeStatus(out, packet, query, rcode);
    const asksAddress = query.type === TYPE.A || query.type === TYPE.AAAA;
    if (view.keepsShortNames && asksAddress && query.name?.includes('.') === false) return refuse(RCODE.noError);
    if (view.upstreams.length === 0) return refuse(RCODE.serverFailure);
    if (this.#pending.size >= MAX_PENDING || this.#deps.forwarder.busy) return refuse(RCODE.refused);
    return undefined;
  }

  #forward(transport: 'udp' | 'tcp', packet: Buffer, query: Query, reply: Reply): void {
    const { forwarder, netnsPath } = this.#deps;
    const { scratch: out } = this.#deps;
    const asked = Buffer.from(packet);
    const cancel = forwarder.forward({
      // It is sent under an ID of its own.
      packet: Buffer.from(packet),
      query,
      transport,
      upstreams: this.#deps.view().upstreams,
      netnsPath,
      settle: (answer) => {
        this.#pending.delete(cancel);
        if (!this.#open) return;
        if (answer === undefined) reply(out.subarray(0, writeStatus(out, asked, query, RCODE.serverFailure)));
        else if (transport === 'tcp' || answer.length <= query.udpBytes) reply(answer);
        else reply(out.subarray(0, writeTruncated(out, asked, query, answer)));
      },
    });
    this.#pending.add(cancel);
  }

  #serve(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    this.#connections.add(socket);
    socket.setTimeout(CONNECTION_IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      for (;;) {
        if (received.length >= 2 && received.readUInt16BE(0) < HEADER_BYTES) return void socket.destroy();
        const message = firstFrame(received);
        if (message === undefined || socket.destroyed) return;
        received = received.subarray(2 + message.length);
        this.#takeMessage(socket, message);
      }
    });
  }

  #takeMessage(socket: Socket, packet: Buffer): void {
    const { scratch: out } = this.#deps;
    const reply: Reply = (message) => {
      if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
      else if (!socket.destroyed) socket.write(frame(message));
    };
    const query = parseQuery(packet);
    if ('rcode' in query) {
      if (query.rcode === undefined) socket.destroy();
      else reply(out.subarray(0, writeBadQuery(out, packet, query.rcode)));
      return;
    }
    const length = this.#answerAtOnce(out, packet, query, MAX_TCP_BYTES);
    if (length !== undefined) reply(out.subarray(0, length));
    else this.#forward('tcp', packet, query, reply);
  }
}

/** In the container's namespace. */
function openSockets(sys: Sys): { udp: number; tcp: number } {
  using undo = new DisposableStack();
  const open = (kind: 'datagram' | 'stream'): { fd: number; port: number } => {
    const socket = sys.sockets.bindInet(kind, RESOLVER_ADDRESS, 0);
    undo.defer(() => closeSync(socket.fd));
    return socket;
  };
  const udp = open('datagram');
  const tcp = open('stream');
  using nft = sys.nft.openNftSocket();
  redirect(nft, { udp: udp.port, tcp: tcp.port });
  undo.move();
  return { udp: udp.fd, tcp: tcp.fd };
}

/** The longest message of all. */
export const MESSAGE_BYTES: number = MAX_TCP_BYTES;
/** The longest datagram that is taken or sent. */
export const DATAGRAM_BYTES: number = MAX_UDP_BYTES;
