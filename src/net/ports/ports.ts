import { isIPv4 } from 'node:net';
import type { Logger } from '#lib';
import { hasErrno, type Sys } from '#sys';
import type { PortRequest, PublishedPort } from '../contract.ts';
import { portNotBound, proxyWithoutSctp } from '../errors.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort } from '../firewall/table.ts';
import { type PortDefaults, type PortGroup, planPorts } from './plan.ts';
import { PortBook } from './port-book.ts';
import { proxyTcp, type PortProxy } from './tcp-proxy.ts';
import { proxyUdp } from './udp-proxy.ts';

export interface PortsOptions {
  sys: Sys;
  logger: Logger;
  /** Without one every port goes through a proxy of ours. */
  firewall: Firewall | undefined;
  ephemeral: { first: number; last: number };
}

/** The container that ports lead to. */
export interface PortTarget {
  address: string;
  bridgeName: string;
}

/** A published port and the socket that keeps others from it. */
interface HeldPort {
  port: PublishedPort;
  /** Undefined when others had the port first: it was free when the container started, and the kernel leads it there. */
  fd: number | undefined;
  proxy?: PortProxy | undefined;
}

interface Publication {
  target: PortTarget;
  held: readonly HeldPort[];
}

/**
 * Which ports of the host lead to which containers. The kernel leads them there where it can: IPv4 with a firewall of
 * ours. What comes by IPv6 goes through a proxy in this process, since networks have IPv4 only.
 *
 * A socket holds each port, so that nobody else takes it. It listens when the firewall knows the port, not sooner.
 */
export class Ports {
  readonly #options: PortsOptions;
  readonly #book: PortBook;
  readonly #publications = new Map<string, Publication>();

  constructor(options: PortsOptions) {
    this.#options = options;
    this.#book = new PortBook(options.ephemeral);
  }

  /**
   * Publishes all ports of a container, or none.
   *
   * @throws {@link EngineError} conflict with Docker's texts for ports that somebody has.
   */
  publish(
    containerId: string,
    target: PortTarget,
    requests: readonly PortRequest[],
    defaults: PortDefaults,
  ): readonly PublishedPort[] {
    if (requests.length === 0) return [];
    const held: HeldPort[] = [];
    using undo = new DisposableStack();
    undo.defer(() => this.#letGo(held));
    for (const group of planPorts(requests, defaults)) held.push(...this.#take(group, target));
    const publication = { target, held };
    this.#lead(publication);
    undo.move();
    this.#publications.set(containerId, publication);
    return held.map(({ port }) => port);
  }

  /** Takes ports again that lead to a container already. */
  adopt(containerId: string, target: PortTarget, ports: readonly PublishedPort[]): void {
    if (ports.length === 0 || this.#publications.has(containerId)) return;
    const held = ports.map((port) => ({ port, fd: this.#bindAgain(port) }));
    for (const { protocol, hostAddress, hostPort } of ports) this.#book.add(protocol, [hostAddress], hostPort);
    const publication = { target, held };
    this.#publications.set(containerId, publication);
    this.#map(publication);
    for (const one of held) {
      try {
        this.#open(one, publication);
      } catch (error) {
        this.#warnOfLoss(one.port, error);
      }
    }
  }

  /** Leads the ports of a container to another of its addresses. */
  move(containerId: string, target: PortTarget): void {
    const publication = this.#publications.get(containerId);
    if (publication === undefined || publication.target.address === target.address) return;
    this.#unmap(publication);
    publication.target = target;
    this.#map(publication);
  }

  /** Frees the ports of a container. Repeatable. */
  release(containerId: string): void {
    const publication = this.#publications.get(containerId);
    if (publication === undefined) return;
    this.#publications.delete(containerId);
    this.#unmap(publication);
    this.#letGo(publication.held);
  }

  published(containerId: string): readonly PublishedPort[] {
    return this.#publications.get(containerId)?.held.map(({ port }) => port) ?? [];
  }

  /** Does again what the kernel may have lost with a bridge. */
  repair(): void {
    for (const publication of this.#publications.values()) this.#openLoopback(publication);
  }

  /** Closes the sockets. What the kernel leads to containers it leads there on. */
  close(): void {
    for (const { held } of this.#publications.values()) for (const one of held) this.#closeSocket(one);
    this.#publications.clear();
  }

  #take(group: PortGroup, target: PortTarget): HeldPort[] {
    const { protocol, containerPort } = group;
    const { held } = this.#book.take(group, (hostPort) => {
      using undo = new DisposableStack();
      const ports = group.hostAddresses.map((hostAddress): HeldPort => {
        const port = { protocol, containerPort, hostAddress, hostPort };
        const fd = this.#bind(port, target);
        if (fd !== undefined) undo.defer(() => this.#options.sys.files.closeFd(fd));
        return { port, fd };
      });
      undo.move();
      return ports;
    });
    return held;
  }

  /** The kernel leads SCTP to containers even where it has no such sockets itself; then nobody else can have the port. */
  #bind(port: PublishedPort, target: PortTarget): number | undefined {
    const { protocol, hostAddress: address, hostPort } = port;
    try {
      return this.#options.sys.sockets.holdPort({ protocol, address, port: hostPort });
    } catch (error) {
      if (protocol === 'sctp' && hasErrno(error, 'EPROTONOSUPPORT')) return undefined;
      throw portNotBound(port, target.address, error);
    }
  }

  #bindAgain(port: PublishedPort): number | undefined {
    const { protocol, hostAddress: address, hostPort } = port;
    try {
      return this.#options.sys.sockets.holdPort({ protocol, address, port: hostPort });
    } catch (error) {
      this.#warnOfLoss(port, error);
      return undefined;
    }
  }

  #warnOfLoss({ protocol, hostAddress, hostPort }: PublishedPort, error: unknown): void {
    const port = `${hostAddress}:${hostPort}/${protocol}`;
    this.#options.logger.warn('others have taken a published port meanwhile', { port, error });
  }

  #lead(publication: Publication): void {
    this.#map(publication);
    using undo = new DisposableStack();
    undo.defer(() => this.#unmap(publication));
    for (const held of publication.held) this.#open(held, publication);
    undo.move();
  }

  #map(publication: Publication): void {
    const mapped = this.#mapped(publication);
    if (mapped.length === 0) return;
    this.#openLoopback(publication);
    this.#options.firewall?.addPorts(mapped);
    this.#forgetSenders(mapped);
  }

  #unmap(publication: Publication): void {
    const mapped = this.#mapped(publication);
    if (mapped.length === 0) return;
    this.#options.firewall?.removePorts(mapped);
    this.#forgetSenders(mapped);
  }

  /** The kernel leads all datagrams of a sender to where it led the first; others would wait until it has been silent. */
  #forgetSenders(mapped: readonly FirewallPort[]): void {
    const ports = mapped.filter(({ protocol }) => protocol === 'udp').map(({ hostPort }) => hostPort);
    if (ports.length === 0) return;
    try {
      this.#options.sys.conntrack.forgetUdp([...new Set(ports)]);
    } catch (error) {
      this.#options.logger.warn('senders to a published port may be led to where it led before', { ports, error });
    }
  }

  /** From now on nobody can listen here but us. */
  #open(held: HeldPort, publication: Publication): void {
    const { port, fd } = held;
    if (fd === undefined) return;
    try {
      if (port.protocol !== 'udp') this.#options.sys.sockets.listenAtPort(fd);
    } catch (error) {
      throw portNotBound(port, publication.target.address, error);
    }
    if (!this.#isMapped(port)) held.proxy = this.#proxy(fd, port, publication);
  }

  #proxy(fd: number, port: PublishedPort, publication: Publication): PortProxy | undefined {
    const { logger } = this.#options;
    const target = (): { address: string; port: number } => ({
      address: publication.target.address,
      port: port.containerPort,
    });
    switch (port.protocol) {
      case 'tcp':
        return proxyTcp(fd, target, logger);
      case 'udp':
        return proxyUdp(fd, port.hostAddress, target, logger);
      case 'sctp':
        throw proxyWithoutSctp();
    }
  }

  /** Lets the kernel send packets from loopback to the bridge and back; the firewall keeps the bridge's own out. */
  #openLoopback({ target, held }: Publication): void {
    if (!held.some(({ port }) => this.#isMapped(port))) return;
    const { namespaces } = this.#options.sys;
    const name = `net/ipv4/conf/${target.bridgeName}/route_localnet`;
    try {
      if (namespaces.readSysctl(name) === '0') namespaces.writeSysctl(name, '1');
    } catch (error) {
      this.#options.logger.warn('published ports cannot be reached by 127.0.0.1', { setting: name, error });
    }
  }

  #isMapped({ hostAddress }: PublishedPort): boolean {
    return this.#options.firewall !== undefined && isIPv4(hostAddress);
  }

  #mapped({ target, held }: Publication): FirewallPort[] {
    return held
      .filter(({ port }) => this.#isMapped(port))
      .map(({ port }) => ({ ...port, containerAddress: target.address }));
  }

  #letGo(held: readonly HeldPort[]): void {
    for (const one of held) {
      this.#closeSocket(one);
      const { protocol, hostAddress, hostPort } = one.port;
      this.#book.release(protocol, hostAddress, hostPort);
    }
  }

  #closeSocket({ proxy, fd }: HeldPort): void {
    if (proxy !== undefined) proxy.close();
    else if (fd !== undefined) this.#options.sys.files.closeFd(fd);
  }
}
