import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { failpoint } from '#lib';
import type { RouteSocket } from '#sys';
import { Bridges } from './bridge/bridges.ts';
import { planCleanup } from './bridge/leftovers.ts';
import { LinkReaper } from './bridge/link-reaper.ts';
import type {
  Endpoint,
  EndpointRequest,
  NetworkCatalog,
  NetworkDescription,
  Networks,
  NetworkSpec,
  NetworkStats,
  PortRequest,
  ResolverSettings,
  Sandbox,
  SandboxRequest,
} from './contract.ts';
import { describeBridge, describePredefined } from './describe.ts';
import { mergeSettings } from './dns/settings.ts';
import type { VisibleNetwork } from './dns/lookup.ts';
import { Resolvers, type Surroundings } from './dns/resolvers.ts';
import {
  ambiguousNetwork,
  endpointExists,
  interfaceNameInUse,
  noSuchNetwork,
  portsNotPublished,
  predefinedNotRemoved,
} from './errors.ts';
import { Firewall } from './firewall/firewall.ts';
import { linkAlias, predefinedNetworkId, vethName } from './names.ts';
import type { NetworkOptions } from './options.ts';
import { hostHasIpv6, readEphemeralPorts } from './ports/host.ts';
import { Ports, type PortTarget } from './ports/ports.ts';
import {
  applyInterfaceSysctls,
  attach,
  chooseGateway,
  createNamespace,
  detach,
  nextInterfaceName,
  syncDefaultRoute,
} from './sandbox.ts';

const DEFAULT_MTU = 1500;
const DEFAULT_BRIDGE = 'berth0';
const DEFAULT_TABLE = 'berth';

/** What exists between `open` and `close`. */
interface OpenState {
  /** In the host's namespace. */
  socket: RouteSocket;
  /** Undefined when no rules are to be written. */
  firewall: Firewall | undefined;
  bridges: Bridges;
  ports: Ports;
  reaper: LinkReaper;
  resolvers: Resolvers;
}

/**
 * The networks of one daemon on the real kernel. All kernel work is synchronous, so that two calls never meet halfway.
 *
 * In the kernel: a bridge per network, one nftables table, per container a bind mount `<execRoot>/netns/<container id>`
 * and a veth pair for each network it is on. Addresses are stored before anything is made, and everything found later
 * that belongs to nothing running is removed by `reconcile`.
 */
export class BridgeNetworks implements Networks, NetworkCatalog {
  readonly #options: NetworkOptions;
  readonly #bridgeName: string;
  readonly #netnsFolder: string;
  #state: OpenState | undefined;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#bridgeName = options.bridgeName ?? DEFAULT_BRIDGE;
    this.#netnsFolder = join(options.execRoot, 'netns');
  }

  async open(): Promise<void> {
    mkdirSync(this.#netnsFolder, { recursive: true, mode: 0o700 });
    if (this.#state !== undefined) {
      this.#state.bridges.open();
      this.#state.ports.repair();
      return;
    }
    const { sys, logger, tableName = DEFAULT_TABLE } = this.#options;
    using undo = new DisposableStack();
    const socket = undo.use(sys.netlink.openRouteSocket());
    const firewall = this.#options.firewall === false ? undefined : undo.use(new Firewall(sys, logger, tableName));
    const mtu = this.#options.mtu ?? hostMtu(socket);
    const bridges = new Bridges(this.#options, { socket, firewall, bridgeName: this.#bridgeName, mtu });
    const ports = new Ports({
      sys,
      logger,
      firewall: this.#options.respectFirewall === true ? undefined : firewall,
      ephemeral: readEphemeralPorts(sys),
    });
    undo.defer(() => ports.close());
    // The first table that the kernel gets has the ports of what runs.
    for (const { networkId, containerId, address, ports: taken = [] } of this.#options.store.listAllocations()) {
      const bridgeName = bridges.bridgeNameOf(networkId);
      if (bridgeName !== undefined) ports.adopt(containerId, { address, bridgeName }, taken);
    }
    bridges.open();
    ports.repair();
    const { hostResolvConf = '/etc/resolv.conf' } = this.#options;
    const resolvers = new Resolvers({ sys, logger, hostResolvConf });
    this.#state = { socket, firewall, bridges, ports, reaper: new LinkReaper(socket, logger), resolvers };
    undo.move();
  }

  async create(request: SandboxRequest): Promise<Sandbox> {
    const { containerId, mode, resolver } = request;
    if (mode === 'host') return { containerId, netnsPath: undefined, endpoints: [] };
    const state = this.#opened();
    this.#removeSandbox(state, containerId);
    const netnsPath = this.#netnsPath(containerId);
    using undo = new DisposableStack();
    undo.defer(() => this.#removeSandbox(state, containerId));
    using inside = createNamespace(this.#options.sys, netnsPath, request.sysctls);
    const endpoints: Endpoint[] = [];
    if (request.endpoints.length > 0) state.firewall?.ensure();
    for (const wanted of request.endpoints) {
      endpoints.push(this.#join(state, inside, containerId, endpoints, wanted));
      failpoint('sandbox-after-endpoint');
    }
    syncDefaultRoute(inside, endpoints);
    this.#publish(state, containerId, endpoints, request.ports ?? []);
    failpoint('sandbox-after-ports');
    this.#syncResolver(state, containerId, endpoints, resolver);
    undo.move();
    const made = endpoints.map((endpoint) => state.bridges.get(endpoint.networkId).find(containerId) ?? endpoint);
    return { containerId, netnsPath, endpoints: made, resolver };
  }

  async remove(containerId: string): Promise<void> {
    this.#removeSandbox(this.#opened(), containerId);
  }

  async connect(
    containerId: string,
    request: EndpointRequest,
    settings: Pick<SandboxRequest, 'resolver' | 'ports'> = {},
  ): Promise<Endpoint> {
    const state = this.#opened();
    const network = state.bridges.get(request.networkId);
    if (network.find(containerId) !== undefined) throw endpointExists(containerId, network.record.name);
    const present = this.#endpointsOf(state, containerId);
    using inside = this.#options.sys.netlink.openRouteSocket(this.#netnsPath(containerId));
    using undo = new DisposableStack();
    undo.defer(() => {
      const endpoint = network.release(containerId);
      if (endpoint === undefined) return;
      state.socket.deleteLink(vethName(endpoint.endpointId));
      this.#publish(state, containerId, present, []);
      state.resolvers.update(containerId, this.#surroundings(state, present));
    });
    state.firewall?.ensure();
    const endpoint = this.#join(state, inside, containerId, present, request);
    failpoint('connect-after-endpoint');
    syncDefaultRoute(inside, [...present, endpoint]);
    this.#publish(state, containerId, [...present, endpoint], settings.ports ?? []);
    this.#syncResolver(state, containerId, [...present, endpoint], settings.resolver);
    undo.move();
    return endpoint;
  }

  async disconnect(containerId: string, networkId: string): Promise<boolean> {
    const state = this.#opened();
    const endpoint = state.bridges.get(networkId).release(containerId);
    if (endpoint === undefined) return false;
    state.resolvers.update(containerId, this.#surroundings(state, this.#endpointsOf(state, containerId)));
    const linkName = vethName(endpoint.endpointId);
    detach(state.socket, linkName, linkAlias(this.#bridgeName));
    await state.reaper.removeSoon(linkName);
    using inside = this.#options.sys.netlink.openRouteSocket(this.#netnsPath(containerId));
    const left = this.#endpointsOf(state, containerId);
    syncDefaultRoute(inside, left);
    this.#publish(state, containerId, left, []);
    return true;
  }

  rename(containerId: string, networkId: string, names: readonly string[]): boolean {
    return this.#opened().bridges.find(networkId)?.rename(containerId, names) ?? false;
  }

  endpointsOf(containerId: string): Endpoint[] {
    const endpoints = this.#endpointsOf(this.#opened(), containerId);
    return endpoints.toSorted((a, b) => a.interfaceName.localeCompare(b.interfaceName, 'en', { numeric: true }));
  }

  async reconcile(running: readonly Sandbox[]): Promise<void> {
    const state = this.#opened();
    const keepContainers = new Set(running.map((sandbox) => sandbox.containerId));
    const keepEndpoints = new Set(running.flatMap(({ endpoints }) => endpoints.map(({ endpointId }) => endpointId)));
    for (const { containerId, endpoints } of running) {
      for (const endpoint of endpoints) state.bridges.find(endpoint.networkId)?.adopt(containerId, endpoint);
    }
    this.#reconcilePorts(state, running);
    for (const network of state.bridges.list()) {
      for (const [containerId, { endpointId }] of network.endpoints()) {
        if (keepEndpoints.has(endpointId)) continue;
        network.release(containerId);
        // Of a container that runs on: a connection that was not finished, or one that was being undone.
        if (keepContainers.has(containerId)) state.socket.deleteLink(vethName(endpointId));
      }
    }
    this.#removeLeftovers(state, keepContainers, new Set([...keepEndpoints].map(vethName)));
    for (const sandbox of running) this.#repair(state, sandbox);
  }

  stats(containerId: string): Record<string, NetworkStats> {
    const path = this.#netnsPath(containerId);
    if (!existsSync(path)) return {};
    using socket = this.#options.sys.netlink.openRouteSocket(path);
    const links = socket.listLinks().filter((link) => link.name !== 'lo');
    return Object.fromEntries(links.flatMap(({ name, stats }) => (stats === undefined ? [] : [[name, stats]])));
  }

  async createNetwork(spec: NetworkSpec): Promise<NetworkDescription> {
    return describeBridge(this.#opened().bridges.create(spec));
  }

  async removeNetwork(networkId: string): Promise<void> {
    const found = this.list().find(({ id }) => id === networkId);
    if (found === undefined) throw noSuchNetwork(networkId);
    if (found.predefined) throw predefinedNotRemoved(found.name);
    this.#opened().bridges.remove(networkId);
  }

  list(): NetworkDescription[] {
    const { bridges } = this.#opened();
    const { created } = bridges.default.record;
    const [standard, ...custom] = bridges.list().map(describeBridge);
    return [
      ...(standard === undefined ? [] : [standard]),
      describePredefined(predefinedNetworkId(this.#bridgeName, 'host'), 'host', 'host', created),
      describePredefined(predefinedNetworkId(this.#bridgeName, 'none'), 'none', 'null', created),
      ...custom,
    ];
  }

  find(ref: string): NetworkDescription | undefined {
    const all = this.list();
    const exact = all.find(({ id }) => id === ref) ?? all.find(({ name }) => name === ref);
    if (exact !== undefined || ref === '') return exact;
    const matches = all.filter(({ id }) => id.startsWith(ref));
    if (matches.length > 1) throw ambiguousNetwork(ref, matches.length);
    return matches[0];
  }

  async close(options: { keepKernelState?: boolean } = {}): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    if (options.keepKernelState === false) {
      this.#removeLeftovers(state, new Set(), new Set());
      state.reaper.flush();
      state.bridges.close();
    }
    state.resolvers.closeAll();
    state.reaper.flush();
    state.ports.close();
    state.socket[Symbol.dispose]();
    state.firewall?.[Symbol.dispose]();
    this.#state = undefined;
  }

  async repair(): Promise<void> {
    const state = this.#opened();
    state.bridges.repair();
    state.ports.repair();
    for (const containerId of readdirSync(this.#netnsFolder)) {
      const endpoints = this.endpointsOf(containerId);
      this.#repair(state, { containerId, netnsPath: this.#netnsPath(containerId), endpoints });
    }
  }

  #reconcilePorts(state: OpenState, running: readonly Sandbox[]): void {
    const ports = new Map(running.map(({ containerId, endpoints }) => [containerId, endpoints]));
    for (const { containerId } of this.#options.store.listAllocations()) {
      if (!ports.has(containerId)) state.ports.release(containerId);
    }
    for (const [containerId, endpoints] of ports) {
      const target = this.#portTarget(state, endpoints);
      const published = endpoints.flatMap((endpoint) => endpoint.ports ?? []);
      if (target !== undefined) state.ports.adopt(containerId, target, published);
      this.#publish(state, containerId, endpoints, []);
    }
  }

  #portTarget(state: OpenState, endpoints: readonly Endpoint[]): PortTarget | undefined {
    const gateway = chooseGateway(endpoints);
    const bridgeName = gateway && state.bridges.find(gateway.networkId)?.settings.bridgeName;
    return gateway && bridgeName !== undefined ? { address: gateway.address, bridgeName } : undefined;
  }

  /** Lets the ports lead to where the way out is: those it has, or else those it wants. Without one they are free. */
  #publish(
    state: OpenState,
    containerId: string,
    endpoints: readonly Endpoint[],
    wanted: readonly PortRequest[],
  ): void {
    const gateway = chooseGateway(endpoints);
    const target = this.#portTarget(state, endpoints);
    if (gateway === undefined || target === undefined) state.ports.release(containerId);
    else if (state.ports.published(containerId).length > 0) state.ports.move(containerId, target);
    else this.#publishAt(state, containerId, gateway, target, wanted);
    const published = state.ports.published(containerId);
    if (gateway !== undefined && published.length > 0) this.#allowHairpin(state, gateway);
    for (const { networkId } of endpoints) {
      const network = state.bridges.find(networkId);
      network?.setPorts(containerId, networkId === gateway?.networkId ? published : []);
    }
  }

  /** Where the host's firewall sees packets within a bridge, they are turned round there and not by routing. */
  #allowHairpin(state: OpenState, { endpointId }: Endpoint): void {
    if (this.#options.sys.namespaces.readSysctl('net/bridge/bridge-nf-call-iptables') !== '1') return;
    const link = state.socket.findLink(vethName(endpointId));
    if (link !== undefined) state.socket.setLink(link.index, { hairpin: true });
  }

  #publishAt(
    state: OpenState,
    containerId: string,
    gateway: Endpoint,
    target: PortTarget,
    wanted: readonly PortRequest[],
  ): void {
    const { hostBinding } = state.bridges.get(gateway.networkId).settings;
    try {
      state.ports.publish(containerId, target, wanted, { hostBinding, ipv6: hostHasIpv6(this.#options.sys) });
    } catch (error) {
      throw portsNotPublished({ name: gateway.names[0] ?? containerId, id: gateway.endpointId }, error);
    }
  }

  /** Joins a running container again to bridges that it lost: somebody deleted the bridge, or the cable. */
  #repair(state: OpenState, { containerId, endpoints, resolver }: Sandbox): void {
    if (endpoints.length === 0) return;
    const lost = endpoints.filter((endpoint) => {
      const network = state.bridges.find(endpoint.networkId);
      if (network === undefined) return false;
      const link = state.socket.findLink(vethName(endpoint.endpointId));
      const bridge = state.socket.findLink(network.settings.bridgeName);
      if (link !== undefined && link.masterIndex !== bridge?.index) {
        state.socket.setLink(link.index, { masterIndex: bridge?.index ?? 0, up: true });
      }
      return link === undefined;
    });
    try {
      using inside = this.#options.sys.netlink.openRouteSocket(this.#netnsPath(containerId));
      for (const endpoint of lost) this.#attach(state, inside, containerId, endpoint);
      syncDefaultRoute(inside, endpoints);
      this.#syncResolver(state, containerId, endpoints, resolver);
    } catch (error) {
      this.#options.logger.error("cannot put a container's network right", { container: containerId, error });
    }
  }

  #opened(): OpenState {
    if (this.#state === undefined) {
      throw new EngineError('internal', 'NETWORK_NOT_OPEN', 'the networks are not open');
    }
    return this.#state;
  }

  #netnsPath(containerId: string): string {
    return join(this.#netnsFolder, containerId);
  }

  #endpointsOf(state: OpenState, containerId: string): Endpoint[] {
    return state.bridges.list().flatMap((network) => network.find(containerId) ?? []);
  }

  #join(
    state: OpenState,
    inside: RouteSocket,
    containerId: string,
    present: readonly Endpoint[],
    request: EndpointRequest,
  ): Endpoint {
    const network = state.bridges.get(request.networkId);
    const interfaceName = request.interfaceName ?? nextInterfaceName(present);
    if (present.some((other) => other.interfaceName === interfaceName)) throw interfaceNameInUse(interfaceName);
    const endpoint = network.allocate(containerId, interfaceName, request);
    this.#attach(state, inside, containerId, endpoint);
    const { interfaceSysctls } = request;
    if (interfaceSysctls !== undefined) {
      applyInterfaceSysctls(this.#options.sys, this.#netnsPath(containerId), interfaceName, interfaceSysctls);
    }
    return endpoint;
  }

  #attach(state: OpenState, inside: RouteSocket, containerId: string, endpoint: Endpoint): void {
    const network = state.bridges.get(endpoint.networkId);
    attach(state.socket, inside, this.#netnsPath(containerId), {
      ...endpoint,
      bridgeName: network.settings.bridgeName,
      hostLinkName: vethName(endpoint.endpointId),
      broadcast: network.broadcast,
      mtu: network.settings.mtu,
      isolated: !network.settings.interContainer,
    });
  }

  /** Names are answered in a container that is on a network of a user; one that was stays so. */
  #syncResolver(
    { resolvers, ...state }: OpenState,
    containerId: string,
    endpoints: readonly Endpoint[],
    settings: ResolverSettings | undefined,
  ): void {
    const surroundings = this.#surroundings(state, endpoints);
    if (resolvers.has(containerId)) resolvers.update(containerId, surroundings);
    else if (surroundings.networks.length > 0) {
      const netnsPath = this.#netnsPath(containerId);
      resolvers.open(containerId, netnsPath, mergeSettings(settings, this.#options.resolver), surroundings);
    }
  }

  #surroundings({ bridges }: Pick<OpenState, 'bridges'>, endpoints: readonly Endpoint[]): Surroundings {
    return {
      networks: endpoints.flatMap((endpoint): VisibleNetwork[] => {
        const network = bridges.find(endpoint.networkId);
        if (network?.record.custom === undefined) return [];
        const links = Object.entries(endpoint.links ?? {}).map(
          ([alias, name]) => [alias.toLowerCase(), name.toLowerCase()] as const,
        );
        return [{ name: network.record.name, names: network.names, links: new Map(links) }];
      }),
      internal: endpoints.every(({ gateway }) => gateway === ''),
    };
  }

  #removeSandbox(state: OpenState, containerId: string): void {
    state.resolvers.close(containerId);
    state.ports.release(containerId);
    for (const network of state.bridges.list()) {
      const endpoint = network.release(containerId);
      if (endpoint !== undefined) this.#letGoOfLink(state, vethName(endpoint.endpointId));
    }
    this.#options.sys.namespaces.removeNetns(this.#netnsPath(containerId));
  }

  #letGoOfLink(state: OpenState, linkName: string): void {
    detach(state.socket, linkName, linkAlias(this.#bridgeName));
    state.reaper.add(linkName);
  }

  #removeLeftovers(state: OpenState, keepContainers: ReadonlySet<string>, keepLinks: ReadonlySet<string>): void {
    const links = state.socket.listLinks();
    const bridgeNames = new Set(state.bridges.list().map(({ settings }) => settings.bridgeName));
    const steps = planCleanup({
      links,
      bridgeIndexes: new Set(links.filter(({ name }) => bridgeNames.has(name)).map(({ index }) => index)),
      alias: linkAlias(this.#bridgeName),
      netnsNames: readdirSync(this.#netnsFolder),
      keepLinks,
      keepContainers,
    });
    for (const step of steps) {
      if (step.step === 'removeLink') this.#letGoOfLink(state, step.name);
      else this.#options.sys.namespaces.removeNetns(this.#netnsPath(step.containerId));
    }
  }
}

/** What the host's way out carries in one packet; never more than 1500. */
function hostMtu(socket: RouteSocket): number {
  const route = socket.listRoutes(4).find(({ destination, unicast }) => destination === undefined && unicast);
  const link = socket.listLinks().find(({ index }) => index === route?.linkIndex);
  return Math.min(DEFAULT_MTU, link?.mtu ?? DEFAULT_MTU);
}

/** Makes and opens the networks of a daemon. The caller closes them. */
export async function openNetworks(options: NetworkOptions): Promise<BridgeNetworks> {
  const networks = new BridgeNetworks(options);
  await networks.open();
  return networks;
}
