/** A transport protocol with ports. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A port of a container that others are to reach at the host. */
export interface PortRequest {
  protocol: PortProtocol;
  containerPort: number;
  /** Of the host; empty for the network's own choice. */
  hostAddress: string;
  /** The first free one of these; undefined for any of the host's ephemeral ones. */
  hostPorts: { first: number; last: number } | undefined;
}

/** A port of the host that leads to a container. */
export interface PublishedPort {
  protocol: PortProtocol;
  containerPort: number;
  hostAddress: string;
  hostPort: number;
}

/** One network that a container is to be on. */
export interface EndpointRequest {
  /** Of a bridge network. */
  networkId: string;
  /** This address and no other (`--ip`). */
  address?: string | undefined;
  /** This address if it is free (a restarting container). */
  preferredAddress?: string | undefined;
  macAddress?: string | undefined;
  /** What others on the network may call the container, the name for its address first. */
  names?: readonly string[] | undefined;
  /** Names that the container alone has for others on the network: for each the other's name. */
  links?: Readonly<Record<string, string>> | undefined;
  /** The network with the highest one gives the way out; default 0. */
  gatewayPriority?: number | undefined;
  /** Inside the container; default the first free `ethN`. */
  interfaceName?: string | undefined;
  /** Settings of its interface, `net.ipv4.conf.IFNAME.log_martians`; IFNAME stands for its name. */
  interfaceSysctls?: Readonly<Record<string, string>> | undefined;
}

/** How a container's resolver is to behave; it has one as soon as it is on a network of a user. */
export interface ResolverSettings {
  /** Asked instead of the daemon's and the host's resolvers (`--dns`). */
  servers: readonly string[];
  /** As in resolv.conf (`--dns-opt`). */
  options: readonly string[];
}

/** What a container asks of the network. */
export interface SandboxRequest {
  containerId: string;
  /** `host`: the host's own network; nothing is made. */
  mode: 'own' | 'host';
  /** In the order of the interfaces. */
  endpoints: readonly EndpointRequest[];
  sysctls: Readonly<Record<string, string>>;
  resolver?: ResolverSettings | undefined;
  /** Published at the endpoint that leads out; without one they wait for it. */
  ports?: readonly PortRequest[] | undefined;
}

/** A container's place in the network. */
export interface Sandbox {
  containerId: string;
  /** Path of the bind-mounted network namespace; undefined for `host`. */
  netnsPath: string | undefined;
  /** In the order of the interfaces. */
  endpoints: readonly Endpoint[];
  resolver?: ResolverSettings | undefined;
}

/** A container's place on one network. */
export interface Endpoint {
  networkId: string;
  networkName: string;
  endpointId: string;
  address: string;
  prefixLength: number;
  /** The network's way out; empty for an internal network. */
  gateway: string;
  macAddress: string;
  /** Inside the container: `eth0`. */
  interfaceName: string;
  names: readonly string[];
  links?: Readonly<Record<string, string>> | undefined;
  gatewayPriority: number;
  /** The container's published ports, at the one endpoint that leads out. */
  ports?: readonly PublishedPort[] | undefined;
}

export interface NetworkStats {
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
}

/** One block of addresses of a network that is to be made. */
export interface AddressBlockSpec {
  subnet?: string | undefined;
  /** Containers get addresses from this part of the subnet. */
  ipRange?: string | undefined;
  gateway?: string | undefined;
  /** Addresses never given out, by a name for each. */
  auxiliary?: Readonly<Record<string, string>> | undefined;
}

/** A network that is to be made. */
export interface NetworkSpec {
  name: string;
  driver: string;
  internal: boolean;
  attachable: boolean;
  enableIPv6: boolean;
  ipamDriver: string;
  blocks: readonly AddressBlockSpec[];
  options: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
}

/**
 * Networks of this engine. Synchronous kernel work inside, milliseconds each.
 */
export interface Networks {
  /** Makes bridges, firewall table and forwarding as needed. Repeatable; also run at start-up. */
  open(): Promise<void>;
  /** Namespace, veths, addresses, routes: ready for the runtime. Undone by `remove` from any half-way state. */
  create(request: SandboxRequest): Promise<Sandbox>;
  /** Frees the addresses at once; the kernel objects go shortly after. Repeatable. */
  remove(containerId: string): Promise<void>;
  /** Puts a container that has a sandbox on one more network. Nothing is left of it after a failure. */
  connect(
    containerId: string,
    request: EndpointRequest,
    settings?: Pick<SandboxRequest, 'resolver' | 'ports'>,
  ): Promise<Endpoint>;
  /** Takes it off again; the interface is gone when this resolves. False when it was not there. */
  disconnect(containerId: string, networkId: string): Promise<boolean>;
  /** What others call a container on one network from now on, the name for its address first. False when it is not there. */
  rename(containerId: string, networkId: string, names: readonly string[]): boolean;
  /** Where a container is now; its ports move when the way out does. */
  endpointsOf(containerId: string): Endpoint[];
  /** Makes again what others took from the kernel: rules, bridges, cables, routes. Connections go on. */
  repair(): Promise<void>;
  /** After a restart: adopts the sandboxes of `running`, removes every other one of ours from the kernel. */
  reconcile(running: readonly Sandbox[]): Promise<void>;
  /** Per-interface counters inside a sandbox; empty for `host`. */
  stats(containerId: string): Record<string, NetworkStats>;
  /** Makes a network: a bridge, elements in the firewall's sets. @throws with Docker's texts. */
  createNetwork(spec: NetworkSpec): Promise<NetworkDescription>;
  /** @throws forbidden while containers are on it, and for the predefined ones; notFound. */
  removeNetwork(networkId: string): Promise<void>;
  /**
   * Pending removals done. Bridge, links and rules stay for running containers and for the next start, unless
   * `keepKernelState` is false: then nothing of ours is left in the kernel.
   */
  close(options?: { keepKernelState?: boolean }): Promise<void>;
}

/** A network as `network ls` and `network inspect` need it. */
export interface NetworkDescription {
  id: string;
  name: string;
  driver: 'bridge' | 'host' | 'null';
  scope: 'local';
  /** RFC 3339. */
  created: string;
  /** Always there: `bridge`, `host`, `none`. */
  predefined: boolean;
  internal: boolean;
  attachable: boolean;
  enableIPv6: boolean;
  /** Empty for `host` and `none`. */
  blocks: readonly (AddressBlockSpec & { subnet: string; gateway: string })[];
  /** Docker's `com.docker.network.bridge.…` options, and whatever else was given. */
  options: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** By container. */
  endpoints: ReadonlyMap<string, Endpoint>;
}

/** Reading side of the networks. */
export interface NetworkCatalog {
  /** The predefined networks `bridge`, `host` and `none`, then those that users made, oldest first. */
  list(): NetworkDescription[];
  /** By full ID, name, or unique ID prefix, in this order. @throws invalidArgument for an ambiguous prefix. */
  find(ref: string): NetworkDescription | undefined;
}
