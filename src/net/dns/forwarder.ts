import { randomInt } from 'node:crypto';
import type { Sys } from '#sys';
import { type Cancel, type ExchangeRequest, exchangeTcp, exchangeUdp } from './exchange.ts';
import { answers, isTruncated, PLAIN_UDP_BYTES, type Query, RCODE, rcodeOf } from './message.ts';
import type { Upstream } from './upstreams.ts';

/** A server that does not answer within this time has the next one asked too. */
const TRY_MS = 1500;
/** What has no answer by then has failed: resolvers of libc ask again after five seconds. */
const DEADLINE_MS = 6000;
/** Each server is asked so often. */
const ROUNDS = 2;
/** A server that did not answer is asked last for this long. */
const AVOID_MS = 15_000;
/** Questions of all containers together that wait for an answer; each has a socket. */
const MAX_PENDING = 2048;
const ID_COUNT = 65_536;

export interface ForwardRequest {
  /** As the client sent it; a copy, which this keeps. */
  packet: Buffer;
  query: Query;
  transport: 'udp' | 'tcp';
  upstreams: readonly Upstream[];
  netnsPath: string;
  /** Gets the answer under the client's ID; undefined when no server has one. */
  settle(reply: Buffer | undefined): void;
}

/** Asks servers outside, one after the other until one answers. */
export class Forwarder {
  readonly #sys: Sys;
  readonly #avoidedUntilMs = new Map<string, number>();
  #pending = 0;

  constructor(sys: Sys) {
    this.#sys = sys;
  }

  /** Whether one more question would be too many. */
  get busy(): boolean {
    return this.#pending >= MAX_PENDING;
  }

  /** Begins to ask. What comes back ends it; nothing is told then. */
  forward(request: ForwardRequest): Cancel {
    this.#pending++;
    const { query, packet } = request;
    const ordered = this.#inOrder(request.upstreams);
    const attempts = Array.from({ length: ROUNDS }, () => ordered).flat();
    const cancels: Cancel[] = [];
    let timer: NodeJS.Timeout | undefined;
    let open = true;
    let running = 0;
    const stop = (): void => {
      if (!open) return;
      open = false;
      this.#pending--;
      clearTimeout(timer);
      clearTimeout(deadline);
      for (const cancel of cancels) cancel();
    };
    const end = (reply: Buffer | undefined): void => {
      if (!open) return;
      stop();
      reply?.writeUInt16BE(query.id, 0);
      request.settle(reply);
    };
    const next = (): void => {
      clearTimeout(timer);
      if (!open) return;
      const upstream = attempts.shift();
      if (upstream === undefined) {
        if (running === 0) end(undefined);
        return;
      }
      running++;
      timer = setTimeout(() => {
        this.#avoid(upstream);
        next();
      }, TRY_MS);
      const cancel = this.#ask(request, upstream, (reply) => {
        running--;
        if (reply !== undefined) return end(reply);
        this.#avoid(upstream);
        next();
      });
      if (open) cancels.push(cancel);
      else cancel();
    };
    const deadline = setTimeout(() => end(undefined), DEADLINE_MS);
    packet.writeUInt16BE(randomInt(ID_COUNT), 0);
    next();
    return stop;
  }

  /** One server. A refusal or failure counts as no answer: the next server may know better. */
  #ask(request: ForwardRequest, upstream: Upstream, settle: (reply: Buffer | undefined) => void): Cancel {
    const { packet, query, transport, netnsPath } = request;
    const exchange: ExchangeRequest = {
      sys: this.#sys,
      upstream,
      netnsPath,
      packet,
      accepts: (reply) => answers(packet, query.questionEnd, reply),
    };
    let follow: Cancel | undefined;
    const take = (reply: Buffer | undefined): void => {
      const rcode = reply === undefined ? undefined : rcodeOf(reply);
      const failed = rcode === RCODE.serverFailure || rcode === RCODE.refused || rcode === RCODE.notImplemented;
      settle(failed ? undefined : reply);
    };
    try {
      if (transport === 'tcp') return exchangeTcp(exchange, take);
      const cancel = exchangeUdp(exchange, (reply) => {
        // The client has room for more than the server sends in one datagram.
        const wider = reply !== undefined && isTruncated(reply) && query.udpBytes > PLAIN_UDP_BYTES;
        if (!wider) return take(reply);
        follow = exchangeTcp(exchange, (whole) =>
          take(whole !== undefined && whole.length <= query.udpBytes ? whole : reply),
        );
      });
      return () => {
        cancel();
        follow?.();
      };
    } catch {
      // The container has just ended, or there are no more file descriptors.
      setImmediate(settle, undefined);
      return () => undefined;
    }
  }

  #avoid({ address, from }: Upstream): void {
    this.#avoidedUntilMs.set(`${from} ${address}`, performance.now() + AVOID_MS);
  }

  #inOrder(upstreams: readonly Upstream[]): Upstream[] {
    const now = performance.now();
    const avoided = ({ address, from }: Upstream): number =>
      (this.#avoidedUntilMs.get(`${from} ${address}`) ?? 0) > now ? 1 : 0;
    return upstreams.toSorted((a, b) => avoided(a) - avoided(b));
  }
}
