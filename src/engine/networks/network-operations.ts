import { isKind } from '#errors';
import { type NetworkCatalog, type NetworkDescription, type Networks, noSuchNetwork } from '#net';
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
  NetworkEndpoint,
  NetworkInspect,
} from '#spec';
import { isLive } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { NetworkAttachments } from './network-attachments.ts';
import { compileListFilter, compilePruneFilter, type Filters, isDangling } from './network-filters.ts';
import { fromNetworkCreate, toNetworkEndpoint, toNetworkInspect } from './network-wire.ts';

export interface NetworkOperationsDeps {
  registry: ContainerRegistry;
  networks: Networks & NetworkCatalog;
  attachments: NetworkAttachments;
  events: EventBus;
}

/** The network use cases, as the API's routes call them. Networks are named by full ID, name, or unique ID prefix. */
export class NetworkOperations {
  readonly #deps: NetworkOperationsDeps;

  constructor(deps: NetworkOperationsDeps) {
    this.#deps = deps;
  }

  /** @throws invalidArgument for an unknown filter. */
  async list(filters: Filters): Promise<NetworkInspect[]> {
    return this.#deps.networks.list().filter(compileListFilter(filters)).map(toNetworkInspect);
  }

  /** @throws notFound with Docker's text. */
  async inspect(ref: string): Promise<NetworkInspect> {
    const network = this.#get(ref);
    return { ...toNetworkInspect(network), Containers: this.#containersOn(network) };
  }

  /** @throws with Docker's texts. */
  async create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }> {
    const network = await this.#deps.networks.createNetwork(fromNetworkCreate(request));
    this.#publish('create', network);
    return { Id: network.id, Warning: '' };
  }

  /** @throws forbidden while containers that run are on it, and for the predefined networks; notFound. */
  async remove(ref: string): Promise<void> {
    const network = this.#get(ref);
    await this.#deps.networks.removeNetwork(network.id);
    this.#publish('destroy', network);
  }

  /** Removes networks that nobody who runs is on. Filters: `label`, `label!`, `until`. */
  async prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }> {
    const matches = compilePruneFilter(filters);
    const deleted: string[] = [];
    for (const network of this.#deps.networks.list()) {
      if (!isDangling(network) || !matches(network)) continue;
      try {
        await this.remove(network.id);
        deleted.push(network.name);
      } catch (error) {
        // Somebody was quicker: a container started on it, or it is gone.
        if (!isKind(error, 'forbidden') && !isKind(error, 'notFound')) throw error;
      }
    }
    this.#deps.events.publish('network', 'prune', '', { reclaimed: '0' });
    return { NetworksDeleted: deleted.length > 0 ? deleted : null };
  }

  /** Makes again what others took from the kernel. */
  async repair(): Promise<void> {
    await this.#deps.networks.repair();
  }

  async connect(ref: string, request: NetworkConnectRequest): Promise<void> {
    await this.#deps.attachments.connect(ref, request);
  }

  async disconnect(ref: string, request: NetworkDisconnectRequest): Promise<void> {
    await this.#deps.attachments.disconnect(ref, request);
  }

  #get(ref: string): NetworkDescription {
    const network = this.#deps.networks.find(ref);
    if (network === undefined) throw noSuchNetwork(ref);
    return network;
  }

  #publish(action: 'create' | 'destroy', { id, name, driver }: NetworkDescription): void {
    this.#deps.events.publish('network', action, id, { name, type: driver });
  }

  #containersOn({ name, endpoints }: NetworkDescription): Record<string, NetworkEndpoint> {
    const rows = this.#deps.registry
      .list()
      .filter((record) => isLive(record.phase) && record.endpoints[name] !== undefined)
      .map((record): [string, NetworkEndpoint] => [
        record.id,
        toNetworkEndpoint(record.name, endpoints.get(record.id)),
      ]);
    return Object.fromEntries(rows);
  }
}
