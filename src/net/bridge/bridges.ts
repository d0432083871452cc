import { EngineError } from '#errors';
import { failpoint, formatRfc3339Nano, nowNano, randomHex } from '#lib';
import type { RouteSocket } from '#sys';
import type { NetworkSpec } from '../contract.ts';
import { planNetwork } from '../create-network.ts';
import { activeEndpoints, noSuchNetwork, predefinedNotRemoved } from '../errors.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { formatIpv4, parseCidr } from '../ipam/ipv4.ts';
import { defaultPools, type Pool } from '../ipam/pools.ts';
import { isClaimedByElder, readTakenSubnets } from '../ipam/taken.ts';
import { bridgeAlias, bridgeMacAddress, predefinedNetworkId } from '../names.ts';
import type { NetworkOptions } from '../options.ts';
import type { NetworkRecord } from '../store.ts';
import { chooseNetwork } from './choose.ts';
import { ensureBridge, readBridge } from './execute.ts';
import { BridgeNetwork } from './network.ts';
import { settingsOf } from './settings.ts';

const MAX_CLAIM_ATTEMPTS = 10;

/** The first address of a block, with the block's length. */
function firstHost(cidr: string): string {
  const { base, prefixLength } = parseCidr(cidr).subnet;
  return `${formatIpv4(base + 1)}/${prefixLength}`;
}

/** Where the bridges are made. */
export interface BridgeGround {
  /** In the host's namespace. */
  socket: RouteSocket;
  /** Undefined when no rules are to be written. */
  firewall: Firewall | undefined;
  /** The default network's bridge. */
  bridgeName: string;
  /** What packets may measure where nobody says so. */
  mtu: number;
}

/**
 * The bridge networks of one daemon. A network's row is written before anything is made and deleted before anything is
 * removed, and `open` makes the kernel agree with the rows: what a kill left half-made is finished, what it left
 * half-removed goes.
 */
export class Bridges {
  readonly #options: NetworkOptions;
  readonly #ground: BridgeGround;
  readonly #custom = new Map<string, BridgeNetwork>();
  #default: BridgeNetwork | undefined;

  constructor(options: NetworkOptions, ground: BridgeGround) {
    this.#options = options;
    this.#ground = ground;
  }

  /** The default network first, then those of users. */
  list(): BridgeNetwork[] {
    return [...(this.#default === undefined ? [] : [this.#default]), ...this.#custom.values()];
  }

  find(id: string): BridgeNetwork | undefined {
    return this.#default?.record.id === id ? this.#default : this.#custom.get(id);
  }

  /** @throws {@link EngineError} notFound */
  get(id: string): BridgeNetwork {
    const network = this.find(id);
    if (network === undefined) throw noSuchNetwork(id);
    return network;
  }

  get default(): BridgeNetwork {
    return this.get(this.#defaultId);
  }

  get #defaultId(): string {
    return predefinedNetworkId(this.#ground.bridgeName, 'bridge');
  }

  /** Also before the networks are open. */
  bridgeNameOf(networkId: string): string | undefined {
    if (networkId === this.#defaultId) return this.#ground.bridgeName;
    return this.#options.store.listNetworks().find(({ id }) => id === networkId)?.custom?.bridgeName;
  }

  #load(record: NetworkRecord): BridgeNetwork {
    return new BridgeNetwork(record, settingsOf(record, this.#ground, this.#options), this.#options.store);
  }

  /** Loads all networks and makes the kernel agree. Repeatable. */
  open(): void {
    const { store, sys, ipForward } = this.#options;
    if (ipForward !== false && sys.namespaces.readSysctl('net/ipv4/ip_forward') !== '1') {
      sys.namespaces.writeSysctl('net/ipv4/ip_forward', '1');
    }
    const records = store.listNetworks().filter(({ custom }) => custom !== undefined);
    this.#custom.clear();
    for (const record of records) this.#custom.set(record.id, this.#load(record));
    this.#claimDefault(records);
    for (const network of this.#custom.values()) this.#reopen(network);
    this.#removeStrays();
  }

  /** Makes bridges and rules again that others have removed. */
  repair(): void {
    for (const network of this.list()) this.#reopen(network);
    this.#ground.firewall?.rewrite();
  }

  /** One network that cannot be (its bridge's name is taken meanwhile) does not keep the daemon from starting. */
  #reopen(network: BridgeNetwork): void {
    try {
      this.#ensureBridge(network);
    } catch (error) {
      this.#options.logger.error('cannot set up a network', { network: network.record.name, error });
    }
  }

  /** Another daemon may choose the same free network at the same moment; then the younger bridge looks for another. */
  #claimDefault(others: readonly NetworkRecord[]): void {
    const { socket, bridgeName } = this.#ground;
    for (let attempt = 1; ; attempt++) {
      const network = this.#load(this.#chooseDefault(others));
      this.#default = network;
      this.#applyFirewall();
      this.#ensureBridge(network);
      const { bridgeAddress, fixedCidr } = this.#options;
      const settled = (bridgeAddress ?? fixedCidr) !== undefined || network.endpoints().size > 0;
      if (settled || attempt === MAX_CLAIM_ATTEMPTS) return;
      const index = readBridge(socket, bridgeName).link?.index ?? 0;
      if (!isClaimedByElder(socket.listAddresses(), network.subnet, index)) return;
    }
  }

  #chooseDefault(others: readonly NetworkRecord[]): NetworkRecord {
    const { store, logger, fixedCidr } = this.#options;
    const bridgeAddress = this.#options.bridgeAddress ?? (fixedCidr === undefined ? undefined : firstHost(fixedCidr));
    const { socket, bridgeName } = this.#ground;
    const id = this.#defaultId;
    const ownIndex = readBridge(socket, bridgeName).link?.index;
    const record = chooseNetwork({
      id,
      name: 'bridge',
      bridgeAddress,
      pools: this.#pools,
      taken: [...readTakenSubnets(socket, ownIndex), ...others.map(({ subnet }) => parseCidr(subnet).subnet)],
      stored: store.listNetworks().find((network) => network.id === id),
      inUse: store.listAllocations().some((allocation) => allocation.networkId === id),
      created: formatRfc3339Nano(nowNano()),
      logger,
    });
    store.saveNetwork(record);
    return record;
  }

  get #pools(): readonly Pool[] {
    return this.#options.pools ?? defaultPools;
  }

  /** Makes a network. @throws {@link EngineError} with Docker's texts; then nothing is left of it. */
  create(spec: NetworkSpec): BridgeNetwork {
    const { socket } = this.#ground;
    for (let attempt = 1; ; attempt++) {
      const network = this.#make(this.#plan(spec));
      const settled = spec.blocks.some(({ subnet }) => subnet !== undefined);
      const index = socket.findLink(network.settings.bridgeName)?.index ?? 0;
      if (settled || !isClaimedByElder(socket.listAddresses(), network.subnet, index)) return network;
      this.remove(network.record.id);
      if (attempt === MAX_CLAIM_ATTEMPTS) {
        throw new EngineError('unavailable', 'NETWORK_POOLS_CONTENDED', 'others take every network that is free here');
      }
    }
  }

  #plan(spec: NetworkSpec): NetworkRecord {
    const { socket, bridgeName, mtu } = this.#ground;
    const identity = { id: randomHex(32), created: formatRfc3339Nano(nowNano()) };
    return planNetwork(spec, identity, {
      networks: this.list().map(({ record }) => record),
      defaultBridge: bridgeName,
      taken: readTakenSubnets(socket, undefined),
      pools: this.#pools,
      mtu,
    });
  }

  #make(record: NetworkRecord): BridgeNetwork {
    const { store } = this.#options;
    using undo = new DisposableStack();
    store.saveNetwork(record);
    undo.defer(() => this.#unmake(record));
    failpoint('network-create-after-row');
    const network = this.#load(record);
    this.#custom.set(record.id, network);
    this.#applyFirewall();
    failpoint('network-create-after-firewall');
    this.#ensureBridge(network);
    undo.move();
    return network;
  }

  /** Removes a network. @throws {@link EngineError} forbidden while containers are on it, and for the default one. */
  remove(id: string): void {
    const { record } = this.get(id);
    if (record.custom === undefined) throw predefinedNotRemoved(record.name);
    if (this.get(id).endpoints().size > 0) throw activeEndpoints(record.name, id);
    this.#unmake(record);
  }

  #unmake(record: NetworkRecord): void {
    this.#options.store.removeNetwork(record.id);
    failpoint('network-remove-after-row');
    this.#custom.delete(record.id);
    this.#applyFirewall();
    failpoint('network-remove-after-firewall');
    this.#removeBridge(record);
  }

  /** Only a bridge that we made; a user may have named one of his own. */
  #removeBridge({ id, custom }: NetworkRecord): void {
    const { socket, bridgeName } = this.#ground;
    if (custom === undefined) return;
    const link = socket.findLink(custom.bridgeName);
    const isOurs = link?.alias === bridgeAlias(bridgeName) || custom.bridgeName === `br-${id.slice(0, 12)}`;
    if (link !== undefined && isOurs) socket.deleteLink(link.name);
  }

  /** Bridges that we made for networks which are no more. */
  #removeStrays(): void {
    const { socket, bridgeName } = this.#ground;
    const wanted = new Set(this.list().map(({ settings }) => settings.bridgeName));
    const strays = socket
      .listLinks()
      .filter(({ name, alias }) => alias === bridgeAlias(bridgeName) && !wanted.has(name))
      .map(({ name }) => name);
    if (strays.length === 0) return;
    this.#ground.firewall?.forget(strays);
    socket.deleteLinks(strays);
  }

  #ensureBridge({ record, subnet, settings }: BridgeNetwork): void {
    const { socket } = this.#ground;
    const { bridgeName: name, mtu } = settings;
    ensureBridge(this.#options.sys, socket, {
      name,
      macAddress: bridgeMacAddress(record.custom === undefined ? name : record.id),
      mtu,
      address: record.gateway,
      prefixLength: subnet.prefixLength,
      alias: record.custom === undefined ? undefined : bridgeAlias(this.#ground.bridgeName),
    });
  }

  #applyFirewall(): void {
    this.#ground.firewall?.apply(this.list().map(({ record, settings }) => ({ subnet: record.subnet, ...settings })));
  }

  /** Takes all bridges and rules out of the kernel; the rows stay. */
  close(): void {
    const { socket, firewall, bridgeName } = this.#ground;
    for (const { record } of this.list()) this.#removeBridge(record);
    firewall?.remove();
    socket.deleteLink(bridgeName);
  }
}
