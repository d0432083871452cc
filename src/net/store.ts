import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '#lib';

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
  gatewayPriority: number;
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

interface Contents {
  networks: NetworkRecord[];
  allocations: AllocationRecord[];
}

function storeOver(contents: Contents, changed: () => void): NetworkStore {
  const networks = new Map(contents.networks.map((network) => [network.id, network]));
  const key = (networkId: string, containerId: string): string => `${networkId}/${containerId}`;
  const allocations = new Map(contents.allocations.map((one) => [key(one.networkId, one.containerId), one]));
  const update = (): void => {
    contents.networks = [...networks.values()];
    contents.allocations = [...allocations.values()];
    changed();
  };
  return {
    listNetworks: () => [...networks.values()],
    saveNetwork: (network) => {
      networks.set(network.id, network);
      update();
    },
    removeNetwork: (networkId) => {
      if (networks.delete(networkId)) update();
    },
    listAllocations: () => [...allocations.values()],
    saveAllocation: (allocation) => {
      allocations.set(key(allocation.networkId, allocation.containerId), allocation);
      update();
    },
    removeAllocation: (networkId, containerId) => {
      if (allocations.delete(key(networkId, containerId))) update();
    },
  };
}

/** A store that forgets; for tests. */
export function createMemoryNetworkStore(): NetworkStore {
  return storeOver({ networks: [], allocations: [] }, () => undefined);
}

/**
 * A store in one JSON file, replaced whole at each change. It is not synced: after a crash of the machine no container
 * runs, and what the file lacks is chosen anew.
 */
export function openFileNetworkStore(path: string): NetworkStore {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const contents = readContents(path);
  return storeOver(contents, () => {
    writeFileSync(`${path}.new`, JSON.stringify(contents), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  });
}

/** A file torn by a crash of the machine counts as none. */
function readContents(path: string): Contents {
  try {
    const { networks = [], allocations = [] } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Contents>;
    return { networks, allocations };
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return { networks: [], allocations: [] };
    throw error;
  }
}
