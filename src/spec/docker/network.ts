/** Wire shapes of Docker's networks, API 1.51. */

export interface NetworkIpamConfig {
  Subnet?: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

export interface NetworkIpam {
  Driver: string;
  Options: Record<string, string> | null;
  Config: NetworkIpamConfig[];
}

/** One endpoint in an inspected network's `Containers`, which is keyed by container ID. */
export interface NetworkEndpoint {
  Name: string;
  EndpointID: string;
  MacAddress: string;
  /** With prefix length (`172.17.0.2/16`). */
  IPv4Address: string;
  IPv6Address: string;
}

/** Answer of `GET /networks/{id}` and one row of `GET /networks`. */
export interface NetworkInspect {
  Name: string;
  Id: string;
  Created: string;
  Scope: 'local' | 'swarm' | 'global';
  Driver: string;
  EnableIPv4: boolean;
  EnableIPv6: boolean;
  IPAM: NetworkIpam;
  Internal: boolean;
  Attachable: boolean;
  Ingress: boolean;
  ConfigFrom: { Network: string };
  ConfigOnly: boolean;
  Containers: Record<string, NetworkEndpoint>;
  Options: Record<string, string>;
  Labels: Record<string, string>;
}
