import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { formatRfc3339Nano, nowNano } from '#lib';
import type { RouteSocket } from '#sys';
import { chooseNetwork } from './bridge/choose.ts';
import { ensureBridge, readBridge } from './bridge/execute.ts';
import { planCleanup } from './bridge/leftovers.ts';
import { LinkReaper } from './bridge/link-reaper.ts';
import { BridgeNetwork } from './bridge/network.ts';
import type {
  Endpoint,
  NetworkCatalog,
  NetworkDescription,
  Networks,
  NetworkStats,
  Sandbox,
  SandboxRequest,
} from './contract.ts';
import { describeBridge, describePredefined } from './describe.ts';
import { Firewall } from './firewall/firewall.ts';
import { defaultPools } from './ipam/pools.ts';
import { isClaimedByElder, readTakenSubnets } from './ipam/taken.ts';
import { bridgeMacAddress, linkAlias, predefinedNetworkId, vethName } from './names.ts';
import type { NetworkOptions } from './options.ts';
import { attach, createNamespace, detach } from './sandbox.ts';

const DEFAULT_MTU = 1500;
const MAX_CLAIM_ATTEMPTS = 10;
const DEFAULT_BRIDGE = 'berth0';
const DEFAULT_TABLE = 'berth';

/** What exists between `open` and `close`. */
interface OpenState {
  /** In the host's namespace. */
  socket: RouteSocket;
  network: BridgeNetwork;
  mtu: number;
  reaper: LinkReaper;
  /** Undefined when no rules are to be written. */
  firewall: Firewall | undefined;
}

/**
 * The networks of one daemon on the real kernel. All kernel work is synchronous, so that two calls never meet halfway.
 *
 * In the kernel: a bridge, one nftables table, per container a bind mount `<execRoot>/netns/<container id>` and a veth
 * pair. The address is stored before anything is made, and everything found later that belongs to nothing running is
 * removed by `reconcile`.
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
    const { sys, logger } = this.#options;
    mkdirSync(this.#netnsFolder, { recursive: true, mode: 0o700 });
    using undo = new DisposableStack();
    const socket = this.#state?.socket ?? undo.use(sys.netlink.openRouteSocket());
    const firewall = this.#state === undefined ? undo.use(this.#openFirewall()) : this.#state.firewall;
    const mtu = this.#options.mtu ?? hostMtu(socket);
    const network = this.#claimNetwork(socket, firewall, mtu);
    this.#state = { socket, firewall, network, mtu, reaper: this.#state?.reaper ?? new LinkReaper(socket, logger) };
    undo.move();
  }

  async create(request: SandboxRequest): Promise<Sandbox> {
    const { containerId, mode } = request;
    if (mode === 'host') return { containerId, netnsPath: undefined, endpoint: undefined };
    const state = this.#opened();
    this.#removeSandbox(state, containerId);
    const netnsPath = join(this.#netnsFolder, containerId);
    using undo = new DisposableStack();
    undo.defer(() => this.#removeSandbox(state, containerId));
    using inside = createNamespace(this.#options.sys, netnsPath, request.sysctls);
    const endpoint = mode === 'bridge' ? this.#join(state, inside, netnsPath, request) : undefined;
    undo.move();
    return { containerId, netnsPath, endpoint };
  }

  async remove(containerId: string): Promise<void> {
    this.#removeSandbox(this.#opened(), containerId);
  }

  async reconcile(running: readonly Sandbox[]): Promise<void> {
    const state = this.#opened();
    const keepContainers = new Set(running.map((sandbox) => sandbox.containerId));
    for (const { containerId, endpoint } of running) {
      if (endpoint?.networkId === state.network.record.id) state.network.adopt(containerId, endpoint);
    }
    for (const containerId of state.network.endpoints().keys()) {
      if (!keepContainers.has(containerId)) state.network.release(containerId);
    }
    const keepLinks = new Set(running.flatMap(({ endpoint }) => (endpoint ? [vethName(endpoint.endpointId)] : [])));
    this.#removeLeftovers(state, keepContainers, keepLinks);
  }

  stats(containerId: string): Record<string, NetworkStats> {
    const path = join(this.#netnsFolder, containerId);
    if (!existsSync(path)) return {};
    using socket = this.#options.sys.netlink.openRouteSocket(path);
    const links = socket.listLinks().filter((link) => link.name !== 'lo');
    return Object.fromEntries(links.flatMap(({ name, stats }) => (stats === undefined ? [] : [[name, stats]])));
  }

  list(): NetworkDescription[] {
    const { network, mtu } = this.#opened();
    const { created } = network.record;
    return [
      describeBridge(network, { bridgeName: this.#bridgeName, mtu, options: this.#options }),
      describePredefined(predefinedNetworkId(this.#bridgeName, 'host'), 'host', 'host', created),
      describePredefined(predefinedNetworkId(this.#bridgeName, 'none'), 'none', 'null', created),
    ];
  }

  async close(options: { keepKernelState?: boolean } = {}): Promise<void> {
    const state = this.#state;
    if (state === undefined) return;
    if (options.keepKernelState === false) {
      this.#removeLeftovers(state, new Set(), new Set());
      state.reaper.flush();
      state.firewall?.remove();
      state.socket.deleteLink(this.#bridgeName);
    }
    state.reaper.flush();
    state.socket[Symbol.dispose]();
    state.firewall?.[Symbol.dispose]();
    this.#state = undefined;
  }

  #openFirewall(): Firewall | undefined {
    const { sys, logger, tableName = DEFAULT_TABLE, firewall } = this.#options;
    return firewall === false ? undefined : new Firewall(sys, logger, tableName);
  }

  #opened(): OpenState {
    if (this.#state === undefined) {
      throw new EngineError('internal', 'NETWORK_NOT_OPEN', 'the networks are not open');
    }
    return this.#state;
  }

  /** Another daemon may choose the same free network at the same moment; then the younger bridge looks for another. */
  #claimNetwork(socket: RouteSocket, firewall: Firewall | undefined, mtu: number): BridgeNetwork {
    for (let attempt = 1; ; attempt++) {
      const network = this.#openNetwork(socket);
      this.#ensureKernel(socket, firewall, network, mtu);
      const settled = this.#options.bridgeAddress !== undefined || network.endpoints().size > 0;
      if (settled || attempt === MAX_CLAIM_ATTEMPTS) return network;
      const index = readBridge(socket, this.#bridgeName).link?.index ?? 0;
      if (!isClaimedByElder(socket.listAddresses(), network.subnet, index)) return network;
    }
  }

  #openNetwork(socket: RouteSocket): BridgeNetwork {
    const { store, logger } = this.#options;
    const id = predefinedNetworkId(this.#bridgeName, 'bridge');
    const record = chooseNetwork({
      id,
      name: 'bridge',
      bridgeAddress: this.#options.bridgeAddress,
      pools: this.#options.pools ?? defaultPools,
      taken: readTakenSubnets(socket, readBridge(socket, this.#bridgeName).link?.index),
      stored: store.listNetworks().find((network) => network.id === id),
      inUse: store.listAllocations().some((allocation) => allocation.networkId === id),
      created: formatRfc3339Nano(nowNano()),
      logger,
    });
    store.saveNetwork(record);
    return new BridgeNetwork(record, store);
  }

  #ensureKernel(socket: RouteSocket, firewall: Firewall | undefined, network: BridgeNetwork, mtu: number): void {
    const { sys } = this.#options;
    const { gateway, subnet } = network.record;
    const name = this.#bridgeName;
    const { prefixLength } = network.subnet;
    ensureBridge(sys, socket, { name, macAddress: bridgeMacAddress(name), mtu, address: gateway, prefixLength });
    if (this.#options.ipForward !== false && sys.namespaces.readSysctl('net/ipv4/ip_forward') !== '1') {
      sys.namespaces.writeSysctl('net/ipv4/ip_forward', '1');
    }
    const masquerade = this.#options.ipMasquerade !== false;
    const interContainer = this.#options.interContainer !== false;
    firewall?.apply([{ bridgeName: name, subnet, masquerade, interContainer }]);
  }

  #join(state: OpenState, inside: RouteSocket, netnsPath: string, request: SandboxRequest): Endpoint {
    state.firewall?.ensure();
    const endpoint = state.network.allocate(request);
    attach(state.socket, inside, netnsPath, {
      ...endpoint,
      bridgeName: this.#bridgeName,
      hostLinkName: vethName(endpoint.endpointId),
      broadcast: state.network.broadcast,
      mtu: state.mtu,
    });
    return endpoint;
  }

  #removeSandbox(state: OpenState, containerId: string): void {
    const endpoint = state.network.release(containerId);
    if (endpoint !== undefined) this.#letGoOfLink(state, vethName(endpoint.endpointId));
    this.#options.sys.namespaces.removeNetns(join(this.#netnsFolder, containerId));
  }

  #letGoOfLink(state: OpenState, linkName: string): void {
    detach(state.socket, linkName, linkAlias(this.#bridgeName));
    state.reaper.add(linkName);
  }

  #removeLeftovers(state: OpenState, keepContainers: ReadonlySet<string>, keepLinks: ReadonlySet<string>): void {
    const steps = planCleanup({
      links: state.socket.listLinks(),
      bridgeIndex: state.socket.findLink(this.#bridgeName)?.index,
      alias: linkAlias(this.#bridgeName),
      netnsNames: readdirSync(this.#netnsFolder),
      keepLinks,
      keepContainers,
    });
    for (const step of steps) {
      if (step.step === 'removeLink') this.#letGoOfLink(state, step.name);
      else this.#options.sys.namespaces.removeNetns(join(this.#netnsFolder, step.containerId));
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
