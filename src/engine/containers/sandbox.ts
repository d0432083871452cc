import { EngineError } from '#errors';
import {
  type EndpointRequest,
  type NetworkDescription,
  noSuchNetwork,
  type ResolverSettings,
  type Sandbox,
  type SandboxRequest,
} from '#net';
import { networkSysctls } from '#runtime';
import { checkEndpointSettings, interfaceSettings } from '../networks/endpoint-settings.ts';
import { endpointLinks, endpointNames } from '../networks/endpoint-names.ts';
import { portRequests } from './ports.ts';
import { isLive, type ContainerRecord } from './record.ts';

/** Either an existing sandbox to join, or what to ask the network for. */
export type SandboxPlan = SandboxRequest | Sandbox;

/** Where the rest of the world is looked up. */
export interface SandboxContext {
  /** @throws notFound */
  container(ref: string): ContainerRecord;
  network(ref: string): NetworkDescription | undefined;
}

/**
 * Which networks a container's next run is on.
 *
 * @throws conflict when it joins a container that does not run; notFound when a network is gone.
 */
export function sandboxRequest(record: ContainerRecord, context: SandboxContext): SandboxPlan {
  const mode = record.hostConfig.NetworkMode;
  if (mode.startsWith('container:')) return joinSandbox(record, context.container(mode.slice('container:'.length)));
  return {
    containerId: record.id,
    mode: mode === 'host' ? 'host' : 'own',
    endpoints: namesInOrder(record, context).flatMap((name) => {
      const network = context.network(name);
      if (network === undefined) throw noSuchNetwork(name);
      return network.driver === 'bridge' ? [endpointRequest(record, network)] : [];
    }),
    sysctls: networkSysctls(record.hostConfig),
    resolver: resolverSettings(record),
    ports: mode === 'host' ? [] : portRequests(record),
  };
}

/** What the container's user said about names. */
export function resolverSettings({ hostConfig }: Pick<ContainerRecord, 'hostConfig'>): ResolverSettings {
  return { servers: hostConfig.Dns ?? [], options: hostConfig.DnsOptions ?? [] };
}

/** The network that it was made for is its first interface; the others follow by name, as they always will. */
function namesInOrder(record: ContainerRecord, context: SandboxContext): string[] {
  const first = context.network(record.hostConfig.NetworkMode)?.name;
  return Object.keys(record.endpoints).toSorted((a, b) => (a === first ? -1 : b === first ? 1 : a < b ? -1 : 1));
}

/** What a container asks of one network that it is on. @throws invalidArgument for settings that cannot be. */
export function endpointRequest(record: ContainerRecord, network: NetworkDescription): EndpointRequest {
  const { id, name } = network;
  const settings = record.endpoints[name];
  if (settings !== undefined) checkEndpointSettings(network, settings);
  const ownMac = record.hostConfig.NetworkMode === name ? record.config.MacAddress : undefined;
  return {
    networkId: id,
    address: settings?.IPAMConfig?.IPv4Address || undefined,
    preferredAddress: record.sandbox?.endpoints.find(({ networkId }) => networkId === id)?.address,
    macAddress: settings?.MacAddress || ownMac || undefined,
    names: endpointNames(record, settings?.Aliases ?? []),
    links: endpointLinks(settings?.Links ?? []),
    gatewayPriority: settings?.GwPriority ?? 0,
    ...interfaceSettings(settings?.DriverOpts ?? {}),
  };
}

function joinSandbox(record: ContainerRecord, other: ContainerRecord): Sandbox {
  if (other.id === record.id) {
    throw new EngineError('invalidArgument', 'JOINS_ITSELF', 'cannot join own network');
  }
  if (!isLive(other.phase)) {
    throw new EngineError(
      'conflict',
      'JOINED_CONTAINER_NOT_RUNNING',
      `cannot join network namespace of a non running container: ${other.id}`,
    );
  }
  return {
    containerId: other.id,
    netnsPath: other.sandbox?.netnsPath ?? `/proc/${other.phase.pid}/ns/net`,
    endpoints: [],
  };
}
