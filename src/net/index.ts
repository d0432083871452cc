export type {
  AddressBlockSpec,
  Endpoint,
  EndpointRequest,
  NetworkCatalog,
  NetworkDescription,
  Networks,
  NetworkSpec,
  NetworkStats,
  PortProtocol,
  PortRequest,
  PublishedPort,
  ResolverSettings,
  Sandbox,
  SandboxRequest,
} from './contract.ts';
export { BridgeNetworks, openNetworks } from './networks.ts';
export { RESOLVER_ADDRESS } from './dns/redirect.ts';
export { usesResolver } from './dns/settings.ts';
export type { NetworkOptions } from './options.ts';
export { defaultPools, type Pool } from './ipam/pools.ts';
export { parseCidr, type Subnet } from './ipam/ipv4.ts';
export {
  type AllocationRecord,
  createMemoryNetworkStore,
  createNetworkStore,
  type NetworkContents,
  type NetworkRecord,
  type NetworkStore,
} from './store.ts';
export { endpointExists, noSuchNetwork } from './errors.ts';
export { decodeAllocation, decodeSandbox, type StoredSandbox } from './stored.ts';
