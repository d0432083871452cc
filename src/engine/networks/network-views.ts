import { EngineError } from '#errors';
import type { NetworkCatalog, NetworkDescription } from '#net';
import type { NetworkEndpoint, NetworkInspect } from '#spec';
import type { ContainerRegistry } from '../containers/registry.ts';
import { isLive } from '../containers/record.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
const knownFilters = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);

/** The three predefined networks, as `network ls` and `network inspect` show them. */
export class NetworkViews {
  readonly #registry: ContainerRegistry;
  readonly #catalog: NetworkCatalog;

  constructor(registry: ContainerRegistry, catalog: NetworkCatalog) {
    this.#registry = registry;
    this.#catalog = catalog;
  }

  #containersOn(description: NetworkDescription): Record<string, NetworkEndpoint> {
    const { name } = description;
    const rows = this.#registry.list().flatMap((record): [string, NetworkEndpoint][] => {
      if (!isLive(record.phase) || record.hostConfig.NetworkMode !== name) return [];
      const endpoint = record.sandbox?.endpoint;
      return [
        [
          record.id,
          {
            Name: record.name,
            EndpointID: endpoint?.endpointId ?? '',
            MacAddress: endpoint?.macAddress ?? '',
            IPv4Address: endpoint ? `${endpoint.address}/${endpoint.prefixLength}` : '',
            IPv6Address: '',
          },
        ],
      ];
    });
    return Object.fromEntries(rows);
  }

  /** @throws invalidArgument for an unknown filter. */
  list(filters: Filters): Promise<NetworkInspect[]> {
    for (const key of filters.keys()) {
      if (!knownFilters.has(key)) throw invalidFilter(key);
    }
    return Promise.resolve(
      this.#catalog
        .list()
        .map(toWire)
        .filter((network) => [...filters].every(([key, values]) => matches(network, key, values))),
    );
  }

  /** There are only the predefined networks, which are never pruned. @throws invalidArgument for an unknown filter. */
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }> {
    for (const key of filters.keys()) {
      if (key !== 'label' && key !== 'label!' && key !== 'until') throw invalidFilter(key);
    }
    return Promise.resolve({ NetworksDeleted: null });
  }

  /** By name, ID, or unique ID prefix. @throws notFound with Docker's text. */
  inspect(ref: string): Promise<NetworkInspect> {
    const all = this.#catalog.list();
    const byPrefix = ref.length > 0 ? all.filter((network) => network.id.startsWith(ref)) : [];
    const exact = all.find((network) => network.name === ref || network.id === ref);
    const found = exact ?? (byPrefix.length === 1 ? byPrefix[0] : undefined);
    if (!found) throw new EngineError('notFound', 'NO_SUCH_NETWORK', `network ${ref} not found`);
    return Promise.resolve({ ...toWire(found), Containers: this.#containersOn(found) });
  }
}

function invalidFilter(key: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
}

function toWire(description: NetworkDescription): NetworkInspect {
  const { ipam } = description;
  return {
    Name: description.name,
    Id: description.id,
    Created: description.created,
    Scope: description.scope,
    Driver: description.driver,
    EnableIPv4: true,
    EnableIPv6: description.enableIPv6,
    IPAM: { Driver: 'default', Options: null, Config: ipam ? [{ Subnet: ipam.subnet, Gateway: ipam.gateway }] : [] },
    Internal: description.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: {},
    Options: { ...description.options },
    Labels: {},
  };
}

function matches(network: NetworkInspect, key: string, values: readonly string[]): boolean {
  if (values.length === 0) return true;
  switch (key) {
    case 'driver':
      return values.includes(network.Driver);
    case 'id':
      return values.some((value) => network.Id.startsWith(value));
    case 'name':
      return values.some((value) => network.Name.includes(value));
    case 'scope':
      return values.includes(network.Scope);
    case 'type':
      return values.includes('builtin');
    default:
      // dangling and label: a predefined network has no labels and is never dangling.
      return key === 'dangling' && !values.some((value) => value === 'true' || value === '1');
  }
}
