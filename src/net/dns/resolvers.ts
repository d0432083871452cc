import type { Logger } from '#lib';
import type { DatagramBatch, Sys } from '#sys';
import type { ResolverSettings } from '../contract.ts';
import { Forwarder } from './forwarder.ts';
import type { VisibleNetwork } from './lookup.ts';
import { ContainerResolver, DATAGRAM_BYTES, MESSAGE_BYTES, type ResolverView } from './resolver.ts';
import { keepsShortNames } from './settings.ts';
import { HostResolvers, namedUpstreams, type Upstream } from './upstreams.ts';

/** A container's place in its networks, for its resolver. */
export interface Surroundings {
  networks: readonly VisibleNetwork[];
  /** No network of it leads out: the host does not ask for it either. */
  internal: boolean;
}

export interface ResolversOptions {
  sys: Sys;
  logger: Logger;
  /** `/etc/resolv.conf` */
  hostResolvConf: string;
}

interface Entry {
  resolver: ContainerResolver;
  surroundings: Surroundings;
}

const BATCH_PACKETS = 32;

/** The resolvers of all containers on networks of users. */
export class Resolvers {
  readonly #options: ResolversOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #forwarder: Forwarder;
  readonly #host: HostResolvers;
  #buffers: { batch: DatagramBatch; scratch: Buffer } | undefined;

  constructor(options: ResolversOptions) {
    this.#options = options;
    this.#forwarder = new Forwarder(options.sys);
    this.#host = new HostResolvers(options.hostResolvConf);
  }

  has(containerId: string): boolean {
    return this.#entries.has(containerId);
  }

  /** Names are answered from now on. @throws what the kernel says; nothing is left then. */
  open(containerId: string, netnsPath: string, settings: ResolverSettings, surroundings: Surroundings): void {
    this.close(containerId);
    const { sys, logger } = this.#options;
    this.#buffers ??= {
      batch: sys.sockets.createDatagramBatch({ packets: BATCH_PACKETS, packetBytes: DATAGRAM_BYTES }),
      scratch: Buffer.alloc(MESSAGE_BYTES),
    };
    const named = namedUpstreams(settings.servers);
    const keeps = keepsShortNames(settings);
    const resolver = new ContainerResolver({
      sys,
      logger,
      forwarder: this.#forwarder,
      ...this.#buffers,
      netnsPath,
      view: () => this.#view(containerId, named, settings.servers.length > 0, keeps),
    });
    this.#entries.set(containerId, { resolver, surroundings });
  }

  #view(containerId: string, named: readonly Upstream[], onlyNamed: boolean, keeps: boolean): ResolverView {
    const surroundings = this.#entries.get(containerId)?.surroundings;
    const { networks = [], internal = true } = surroundings ?? {};
    // A server that was named is asked from inside: an internal network keeps it away by itself, or has it.
    const upstreams = onlyNamed ? named : internal ? [] : this.#host.current(performance.now());
    return { networks, upstreams, keepsShortNames: keeps };
  }

  /** The container came to a network or left one. Nothing to do without a resolver. */
  update(containerId: string, surroundings: Surroundings): void {
    const entry = this.#entries.get(containerId);
    if (entry !== undefined) entry.surroundings = surroundings;
  }

  /** Repeatable. */
  close(containerId: string): void {
    this.#entries.get(containerId)?.resolver.close();
    this.#entries.delete(containerId);
  }

  closeAll(): void {
    for (const containerId of this.#entries.keys()) this.close(containerId);
  }
}
