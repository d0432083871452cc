import { randomHex } from '#lib';
import type { Endpoint, EndpointRequest, PublishedPort } from '../contract.ts';
import { NameIndex } from '../dns/name-index.ts';
import { addressInUse, addressOutside, noAddressLeft } from '../errors.ts';
import { AddressPool } from '../ipam/address-pool.ts';
import { contains, formatIpv4, parseCidr, parseIpv4, type Subnet, subnetSize } from '../ipam/ipv4.ts';
import { endpointMacAddress } from '../names.ts';
import type { AllocationRecord, NetworkRecord, NetworkStore } from '../store.ts';
import type { BridgeSettings } from './settings.ts';

/** A bridge network's addresses and endpoints, in memory and in the store alike. */
export class BridgeNetwork {
  readonly record: NetworkRecord;
  readonly settings: BridgeSettings;
  readonly subnet: Subnet;
  /** Of the containers on it. */
  readonly names: NameIndex = new NameIndex();
  readonly #store: NetworkStore;
  readonly #pool: AddressPool;
  readonly #allocations = new Map<string, AllocationRecord>();

  constructor(record: NetworkRecord, settings: BridgeSettings, store: NetworkStore) {
    const { ipRange } = settings;
    const { auxiliary = {} } = record.custom ?? {};
    this.record = record;
    this.settings = settings;
    this.subnet = parseCidr(record.subnet).subnet;
    this.#store = store;
    const reserved = [record.gateway, ...Object.values(auxiliary)].map(parseIpv4);
    this.#pool = new AddressPool(this.subnet, reserved, ipRange === undefined ? undefined : parseCidr(ipRange).subnet);
    for (const allocation of store.listAllocations()) {
      if (allocation.networkId === record.id) this.#remember(allocation);
    }
  }

  /** Last address: all hosts of the network. */
  get broadcast(): string {
    return formatIpv4(this.subnet.base + subnetSize(this.subnet) - 1);
  }

  /**
   * Takes an address and a MAC address for a container; they are stored before this returns.
   *
   * @throws {@link EngineError} unavailable when no address is free; forbidden when the one asked for is in use;
   *   invalidArgument when it is not of this network.
   */
  allocate(containerId: string, interfaceName: string, request: EndpointRequest): Endpoint {
    const address = this.#takeAddress(containerId, request);
    const allocation: AllocationRecord = {
      networkId: this.record.id,
      containerId,
      endpointId: randomHex(32),
      address: formatIpv4(address),
      macAddress: request.macAddress ?? endpointMacAddress(address),
      interfaceName,
      names: request.names ?? [],
      ...(request.links === undefined ? {} : { links: request.links }),
      gatewayPriority: request.gatewayPriority ?? 0,
    };
    this.#keep(allocation);
    this.#store.saveAllocation(allocation);
    return this.#endpoint(allocation);
  }

  /** Others call the container so from now on. False when it is not here. */
  rename(containerId: string, names: readonly string[]): boolean {
    const allocation = this.#allocations.get(containerId);
    if (allocation === undefined) return false;
    const renamed = { ...allocation, names };
    this.#keep(renamed);
    this.#store.saveAllocation(renamed);
    return true;
  }

  #takeAddress(containerId: string, { address, preferredAddress }: EndpointRequest): number {
    if (address !== undefined) {
      const wanted = parseIpv4(address);
      if (!contains(this.subnet, wanted)) throw addressOutside(address);
      if (!this.#pool.claim(containerId, wanted)) throw addressInUse();
      return wanted;
    }
    const preferred = preferredAddress === undefined ? undefined : parseIpv4(preferredAddress);
    const taken = this.#pool.take(containerId, preferred);
    if (taken === undefined) throw noAddressLeft(this.record.name, this.record.id);
    return taken;
  }

  /** Takes over the address of a container that already runs with it. */
  adopt(containerId: string, endpoint: Endpoint): void {
    const { networkName: _name, prefixLength: _length, gateway: _gateway, ...kept } = endpoint;
    const own = { ...kept, networkId: this.record.id, containerId };
    this.#remember(own);
    this.#store.saveAllocation(own);
  }

  /** Stores which ports of the host lead to a container of this network. */
  setPorts(containerId: string, ports: readonly PublishedPort[] | undefined): void {
    const { ports: before, ...allocation } = this.#allocations.get(containerId) ?? {};
    if (!('endpointId' in allocation) || (before ?? []).length + (ports ?? []).length === 0) return;
    const changed = ports === undefined || ports.length === 0 ? allocation : { ...allocation, ports };
    this.#allocations.set(containerId, changed);
    this.#store.saveAllocation(changed);
  }

  /** Gives a container's address back; answers the endpoint it had, if any. */
  release(containerId: string): Endpoint | undefined {
    const allocation = this.#allocations.get(containerId);
    if (allocation === undefined) return undefined;
    this.#allocations.delete(containerId);
    this.names.remove(containerId);
    this.#pool.release(containerId, parseIpv4(allocation.address));
    this.#store.removeAllocation(this.record.id, containerId);
    return this.#endpoint(allocation);
  }

  find(containerId: string): Endpoint | undefined {
    const allocation = this.#allocations.get(containerId);
    return allocation === undefined ? undefined : this.#endpoint(allocation);
  }

  /** By container. */
  endpoints(): Map<string, Endpoint> {
    return new Map([...this.#allocations].map(([id, allocation]) => [id, this.#endpoint(allocation)]));
  }

  /** An address outside the network (it was another network before a restart) is remembered, but occupies nothing. */
  #remember(allocation: AllocationRecord): void {
    this.#pool.adopt(allocation.containerId, parseIpv4(allocation.address));
    this.#keep(allocation);
  }

  #keep(allocation: AllocationRecord): void {
    const { containerId, address, names } = allocation;
    this.#allocations.set(containerId, allocation);
    this.names.set(containerId, parseIpv4(address), names);
  }

  #endpoint({ networkId, containerId: _, ...allocation }: AllocationRecord): Endpoint {
    return {
      ...allocation,
      networkId,
      networkName: this.record.name,
      prefixLength: this.subnet.prefixLength,
      gateway: this.settings.internal ? '' : this.record.gateway,
    };
  }
}
