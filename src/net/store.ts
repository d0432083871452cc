import type { PublishedPort } from './contract.ts';

/** What a user asked for in making a network. */
export interface CustomNetwork {
  bridgeName: string;
  internal: boolean;
  attachable: boolean;
  ipRange?: string | undefined;
  auxiliary?: Readonly<Record<string, string>> | undefined;
  options: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
}

/** A network that keeps its addresses over restarts. */
export interface NetworkRecord {
  id: string;
  name: string;
  /** `172.17.0.0/24` */
  subnet: string;
  gateway: string;
  /** RFC 3339. */
  created: string;
  /** Undefined for the default network, which follows the daemon's flags. */
  custom?: CustomNetwork | undefined;
}

/** An address in use by a container. */
export interface AllocationRecord {
  networkId: string;
  containerId: string;
  endpointId: string;
  address: string;
  macAddress: string;
  interfaceName: string;
  names: readonly string[];
  links?: Readonly<Record<string, string>> | undefined;
  gatewayPriority: number;
  /** Only at the endpoint that leads out. */
  ports?: readonly PublishedPort[] | undefined;
}

/** Where networks and allocations are kept; calls are synchronous and durable against the daemon's death. */
export interface NetworkStore {
  listNetworks(): NetworkRecord[];
  saveNetwork(network: NetworkRecord): void;
  removeNetwork(networkId: string): void;
  listAllocations(): AllocationRecord[];
  /** Replaces what the container had in that network. */
  saveAllocation(allocation: AllocationRecord): void;
  removeAllocation(networkId: string, containerId: string): void;
}

/** What a store begins with. */
export interface NetworkContents {
  networks: readonly NetworkRecord[];
  allocations: readonly AllocationRecord[];
}

/** Where changes go that must last. */
export type NetworkSink = Omit<NetworkStore, 'listNetworks' | 'listAllocations'>;

/** A store that answers from memory, and hands every change on to `sink` before it counts. */
export function createNetworkStore(contents: NetworkContents, sink: NetworkSink): NetworkStore {
  const key = (networkId: string, containerId: string): string => `${networkId}/${containerId}`;
  const networks = new Map(contents.networks.map((network) => [network.id, network]));
  const allocations = new Map(contents.allocations.map((one) => [key(one.networkId, one.containerId), one]));
  return {
    listNetworks: () => [...networks.values()],
    saveNetwork: (network) => {
      sink.saveNetwork(network);
      networks.set(network.id, network);
    },
    removeNetwork: (networkId) => {
      sink.removeNetwork(networkId);
      networks.delete(networkId);
    },
    listAllocations: () => [...allocations.values()],
    saveAllocation: (allocation) => {
      sink.saveAllocation(allocation);
      allocations.set(key(allocation.networkId, allocation.containerId), allocation);
    },
    removeAllocation: (networkId, containerId) => {
      if (!allocations.has(key(networkId, containerId))) return;
      sink.removeAllocation(networkId, containerId);
      allocations.delete(key(networkId, containerId));
    },
  };
}

/** A store that forgets; for tests. */
export function createMemoryNetworkStore(): NetworkStore {
  const nowhere = (): void => undefined;
  const sink = { saveNetwork: nowhere, removeNetwork: nowhere, saveAllocation: nowhere, removeAllocation: nowhere };
  return createNetworkStore({ networks: [], allocations: [] }, sink);
}
