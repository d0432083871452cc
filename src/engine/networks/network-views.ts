import { EngineError } from '#errors';
import type { NetworkEndpoint, NetworkInspect } from '#spec';
import type { ContainerRegistry } from '../containers/registry.ts';
import { isLive } from '../containers/record.ts';

/** Facts about the default bridge. */
export interface BridgeFacts {
  id: string;
  name: string;
  bridgeName: string;
  subnet: string;
  gateway: string;
  createdAt: string;
}

type Filters = ReadonlyMap<string, readonly string[]>;
const knownFilters = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);

/** The three predefined networks, as `network ls` and `network inspect` show them. */
export class NetworkViews {
  readonly #registry: ContainerRegistry;
  readonly #bridge: () => BridgeFacts;
  readonly #ids: { host: string; none: string };

  constructor(registry: ContainerRegistry, bridge: () => BridgeFacts, ids: { host: string; none: string }) {
    this.#registry = registry;
    this.#bridge = bridge;
    this.#ids = ids;
  }

  #all(): NetworkInspect[] {
    const bridge = this.#bridge();
    const bare = { createdAt: bridge.createdAt, options: {}, config: [] };
    return [
      this.#network('bridge', bridge.id, 'bridge', {
        createdAt: bridge.createdAt,
        config: [{ Subnet: bridge.subnet, Gateway: bridge.gateway }],
        options: {
          'com.docker.network.bridge.default_bridge': 'true',
          'com.docker.network.bridge.enable_icc': 'true',
          'com.docker.network.bridge.enable_ip_masquerade': 'true',
          'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
          'com.docker.network.bridge.name': bridge.bridgeName,
          'com.docker.network.driver.mtu': '1500',
        },
      }),
      this.#network('host', this.#ids.host, 'host', bare),
      this.#network('none', this.#ids.none, 'null', bare),
    ];
  }

  #network(
    name: string,
    id: string,
    driver: string,
    more: { createdAt: string; options: Record<string, string>; config: { Subnet: string; Gateway: string }[] },
  ): NetworkInspect {
    return {
      Name: name,
      Id: id,
      Created: more.createdAt,
      Scope: 'local',
      Driver: driver,
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: { Driver: 'default', Options: null, Config: more.config },
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Containers: {},
      Options: more.options,
      Labels: {},
    };
  }

  #containersOn(name: string): Record<string, NetworkEndpoint> {
    const rows = this.#registry.list().flatMap((record): [string, NetworkEndpoint][] => {
      if (!isLive(record.phase) || record.hostConfig.NetworkMode !== name) return [];
      const endpoint = record.sandbox?.endpoint;
      const address = endpoint ? `${endpoint.address}/${endpoint.prefixLength}` : '';
      return [
        [
          record.id,
          {
            Name: record.name,
            EndpointID: endpoint?.endpointId ?? '',
            MacAddress: endpoint?.macAddress ?? '',
            IPv4Address: address,
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
      if (!knownFilters.has(key)) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
    }
    return Promise.resolve(
      this.#all().filter((network) => [...filters].every(([key, values]) => matches(network, key, values))),
    );
  }

  /** By name, ID, or unique ID prefix. @throws notFound with Docker's text. */
  inspect(ref: string): Promise<NetworkInspect> {
    const all = this.#all();
    const byPrefix = ref.length > 0 ? all.filter((network) => network.Id.startsWith(ref)) : [];
    const found =
      all.find((network) => network.Name === ref || network.Id === ref) ??
      (byPrefix.length === 1 ? byPrefix[0] : undefined);
    if (!found) throw new EngineError('notFound', 'NO_SUCH_NETWORK', `network ${ref} not found`);
    return Promise.resolve({ ...found, Containers: this.#containersOn(found.Name) });
  }
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
