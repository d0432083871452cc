/** What a container asks of the network. */
export interface SandboxRequest {
  containerId: string;
  mode: 'bridge' | 'none' | 'host';
  /** Keep this address if it is free (a restarting container). */
  preferredAddress?: string | undefined;
  macAddress?: string | undefined;
  sysctls: Readonly<Record<string, string>>;
}

/** A container's place in the network. */
export interface Sandbox {
  containerId: string;
  /** Path of the bind-mounted network namespace; undefined for `host`. */
  netnsPath: string | undefined;
  endpoint: Endpoint | undefined;
}

export interface Endpoint {
  networkId: string;
  networkName: string;
  endpointId: string;
  address: string;
  prefixLength: number;
  gateway: string;
  macAddress: string;
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

/**
 * Networks of this engine. Synchronous kernel work inside, milliseconds each.
 */
export interface Networks {
  /** Makes bridge, firewall table and forwarding as needed. Repeatable; also run at start-up. */
  open(): Promise<void>;
  /** Namespace, veth, address, routes: ready for the runtime. Undone by `remove` from any half-way state. */
  create(request: SandboxRequest): Promise<Sandbox>;
  /** Frees the address at once; the kernel objects go shortly after. Repeatable. */
  remove(containerId: string): Promise<void>;
  /** After a restart: adopts the sandboxes of `running`, removes every other one of ours from the kernel. */
  reconcile(running: readonly Sandbox[]): Promise<void>;
  /** Per-interface counters inside a sandbox; empty for `host`. */
  stats(containerId: string): Record<string, NetworkStats>;
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
  internal: boolean;
  enableIPv6: boolean;
  /** Undefined for `host` and `none`. */
  ipam: { subnet: string; gateway: string } | undefined;
  /** Docker's `com.docker.network.bridge.…` options. */
  options: Readonly<Record<string, string>>;
  /** By container. */
  endpoints: ReadonlyMap<string, Endpoint>;
}

/** Reading side of the networks. */
export interface NetworkCatalog {
  /** The predefined networks `bridge`, `host` and `none`. */
  list(): NetworkDescription[];
}
