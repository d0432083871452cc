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
/** After one that did not answer the wait is this short, until it answers again. The order stays: servers may know different names. */
const SILENT_TRY_MS = 200;
/** How many silent servers are remembered. */
const MAX_SILENT = 1000;
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
  readonly #silent = new Set<string>();
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
    request.packet.writeUInt16BE(randomInt(ID_COUNT), 0);
    this.#pending++;
    const round = new Round(request.upstreams, {
      ask: (upstream, settle) => this.#ask(request, upstream, settle),
      patienceMs: (upstream) => (this.#silent.has(keyOf(request, upstream)) ? SILENT_TRY_MS : TRY_MS),
      noteSilence: (upstream, silent) => this.#noteSilence(keyOf(request, upstream), silent),
      end: (reply) => {
        reply?.writeUInt16BE(request.query.id, 0);
        request.settle(reply);
      },
      closed: () => this.#pending--,
    });
    round.next();
    return () => round.close();
  }

  #noteSilence(key: string, silent: boolean): void {
    if (!silent) this.#silent.delete(key);
    else if (this.#silent.size < MAX_SILENT) this.#silent.add(key);
    else this.#silent.clear();
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
}

/** A server, as that container sees it. */
function keyOf({ netnsPath }: ForwardRequest, { address, from }: Upstream): string {
  return `${from === 'host' ? '' : netnsPath} ${address}`;
}

interface RoundDeps {
  ask(upstream: Upstream, settle: (reply: Buffer | undefined) => void): Cancel;
  patienceMs(upstream: Upstream): number;
  noteSilence(upstream: Upstream, silent: boolean): void;
  /** Once, unless closed before. */
  end(reply: Buffer | undefined): void;
  /** Once. */
  closed(): void;
}

/** One question on its way: servers that were asked may still answer while the next is asked already. */
class Round {
  readonly #deps: RoundDeps;
  readonly #deadline: NodeJS.Timeout;
  readonly #cancels: Cancel[] = [];
  #left: Upstream[];
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(upstreams: readonly Upstream[], deps: RoundDeps) {
    this.#deps = deps;
    this.#left = Array.from({ length: ROUNDS }, () => upstreams).flat();
    this.#deadline = setTimeout(() => this.#end(undefined), DEADLINE_MS);
  }

  next(): void {
    clearTimeout(this.#timer);
    if (!this.#open) return;
    const upstream = this.#left.shift();
    if (upstream === undefined) {
      if (this.#waiting === 0) this.#end(undefined);
      return;
    }
    this.#waiting++;
    this.#timer = setTimeout(() => {
      this.#deps.noteSilence(upstream, true);
      this.next();
    }, this.#deps.patienceMs(upstream));
    this.#cancels.push(this.#deps.ask(upstream, (reply) => this.#take(upstream, reply)));
  }

  #take(upstream: Upstream, reply: Buffer | undefined): void {
    this.#waiting--;
    if (reply !== undefined) {
      this.#deps.noteSilence(upstream, false);
      this.#end(reply);
      return;
    }
    // It would say the same again.
    this.#left = this.#left.filter((other) => other !== upstream);
    this.next();
  }

  #end(reply: Buffer | undefined): void {
    if (!this.#open) return;
    this.close();
    this.#deps.end(reply);
  }

  /** Repeatable. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    for (const cancel of this.#cancels) cancel();
    this.#deps.closed();
  }
}
