import { EngineError } from '#errors';
import { randomHex } from '#lib';
import type { Endpoint } from '../contract.ts';
import { AddressPool } from '../ipam/address-pool.ts';
import { formatIpv4, parseCidr, parseIpv4, type Subnet, subnetSize } from '../ipam/ipv4.ts';
import { endpointMacAddress } from '../names.ts';
import type { AllocationRecord, NetworkRecord, NetworkStore } from '../store.ts';

export interface AddressRequest {
  containerId: string;
  preferredAddress?: string | undefined;
  macAddress?: string | undefined;
}

/** A bridge network's addresses and endpoints, in memory and in the store alike. */
export class BridgeNetwork {
  readonly record: NetworkRecord;
  readonly subnet: Subnet;
  readonly #store: NetworkStore;
  readonly #pool: AddressPool;
  readonly #allocations = new Map<string, AllocationRecord>();

  constructor(record: NetworkRecord, store: NetworkStore) {
    this.record = record;
    this.subnet = parseCidr(record.subnet).subnet;
    this.#store = store;
    this.#pool = new AddressPool(this.subnet, [parseIpv4(record.gateway)]);
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
   * @throws {@link EngineError} unavailable when no address is free.
   */
  allocate(request: AddressRequest): Endpoint {
    const { containerId, preferredAddress } = request;
    const preferred = preferredAddress === undefined ? undefined : parseIpv4(preferredAddress);
    const address = this.#pool.take(containerId, preferred);
    if (address === undefined) {
      const { name, id } = this.record;
      throw new EngineError(
        'unavailable',
        'NETWORK_NO_ADDRESS',
        `no available IPv4 addresses on this network's address pools: ${name} (${id})`,
      );
    }
    const allocation: AllocationRecord = {
      networkId: this.record.id,
      containerId,
      endpointId: randomHex(32),
      address: formatIpv4(address),
      macAddress: request.macAddress ?? endpointMacAddress(address),
    };
    this.#allocations.set(containerId, allocation);
    this.#store.saveAllocation(allocation);
    return this.#endpoint(allocation);
  }

  /** Takes over the address of a container that already runs with it. */
  adopt(containerId: string, endpoint: Endpoint): void {
    const { endpointId, address, macAddress } = endpoint;
    const allocation = { networkId: this.record.id, containerId, endpointId, address, macAddress };
    this.#remember(allocation);
    this.#store.saveAllocation(allocation);
  }

  /** Gives a container's address back; answers the endpoint it had, if any. */
  release(containerId: string): Endpoint | undefined {
    const allocation = this.#allocations.get(containerId);
    if (allocation === undefined) return undefined;
    this.#allocations.delete(containerId);
    this.#pool.release(containerId, parseIpv4(allocation.address));
    this.#store.removeAllocation(this.record.id, containerId);
    return this.#endpoint(allocation);
  }

  /** By container. */
  endpoints(): Map<string, Endpoint> {
    return new Map([...this.#allocations].map(([id, allocation]) => [id, this.#endpoint(allocation)]));
  }

  /** An address outside the network (it was another network before a restart) is remembered, but occupies nothing. */
  #remember(allocation: AllocationRecord): void {
    this.#pool.adopt(allocation.containerId, parseIpv4(allocation.address));
    this.#allocations.set(allocation.containerId, allocation);
  }

  #endpoint(allocation: AllocationRecord): Endpoint {
    return {
      networkId: this.record.id,
      networkName: this.record.name,
      endpointId: allocation.endpointId,
      address: allocation.address,
      prefixLength: this.subnet.prefixLength,
      gateway: this.record.gateway,
      macAddress: allocation.macAddress,
    };
  }
}
