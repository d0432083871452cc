import { EngineError } from '#errors';
import type { Sandbox, SandboxRequest } from '#net';
import { networkSysctls } from '#runtime';
import { isLive, type ContainerRecord } from './record.ts';

/** Either an existing sandbox to join, or what to ask the network for. */
export type SandboxPlan = SandboxRequest | Sandbox;

/**
 * Which network a container's next run gets.
 *
 * @throws conflict when it joins a container that does not run.
 */
export function sandboxRequest(record: ContainerRecord, find: (ref: string) => ContainerRecord): SandboxPlan {
  const mode = record.hostConfig.NetworkMode;
  if (mode.startsWith('container:')) return joinSandbox(record, find(mode.slice('container:'.length)));
  if (!['bridge', 'none', 'host'].includes(mode)) {
    throw new EngineError('notFound', 'NO_SUCH_NETWORK', `network ${mode} not found`);
  }
  checkEndpoints(record, mode);
  const settings = record.endpoints[mode] ?? record.endpoints['default'];
  return {
    containerId: record.id,
    mode: mode === 'none' || mode === 'host' ? mode : 'bridge',
    preferredAddress: record.sandbox?.endpoint?.address,
    macAddress: settings?.MacAddress || record.config.MacAddress || undefined,
    sysctls: networkSysctls(record.hostConfig),
  };
}

/** The predefined networks give addresses and names as they like, as in dockerd; further networks are not there yet. */
function checkEndpoints(record: ContainerRecord, mode: string): void {
  for (const [name, settings] of Object.entries(record.endpoints)) {
    if (name !== mode && name !== 'default') {
      throw new EngineError('notFound', 'NO_SUCH_NETWORK', `network ${name} not found`);
    }
    const { IPv4Address = '', IPv6Address = '' } = settings.IPAMConfig ?? {};
    if (IPv4Address !== '' || IPv6Address !== '') {
      throw new EngineError(
        'invalidArgument',
        'ADDRESS_ON_PREDEFINED_NETWORK',
        'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
      );
    }
    if ((settings.Aliases ?? []).length > 0) {
      throw new EngineError(
        'invalidArgument',
        'ALIAS_ON_PREDEFINED_NETWORK',
        'network-scoped alias is supported only for containers in user defined networks',
      );
    }
  }
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
    endpoint: undefined,
  };
}
