import type { BridgeNetwork } from './bridge/network.ts';
import { BRIDGE_OPTION } from './bridge/settings.ts';
import type { NetworkDescription } from './contract.ts';
import type { CustomNetwork } from './store.ts';

/** The daemon's flags under Docker's names for a network's options. */
function optionsOfDefault({ settings }: BridgeNetwork): Record<string, string> {
  return {
    [BRIDGE_OPTION.defaultBridge]: 'true',
    [BRIDGE_OPTION.interContainer]: String(settings.interContainer),
    [BRIDGE_OPTION.masquerade]: String(settings.masquerade),
    [BRIDGE_OPTION.hostBinding]: '0.0.0.0',
    [BRIDGE_OPTION.name]: settings.bridgeName,
    [BRIDGE_OPTION.mtu]: String(settings.mtu),
  };
}

function blockExtras({ ipRange, auxiliary }: Partial<CustomNetwork>): Partial<NetworkDescription['blocks'][number]> {
  return { ...(ipRange === undefined ? {} : { ipRange }), ...(auxiliary === undefined ? {} : { auxiliary }) };
}

export function describeBridge(network: BridgeNetwork): NetworkDescription {
  const { id, name, created, subnet, gateway, custom } = network.record;
  return {
    id,
    name,
    driver: 'bridge',
    scope: 'local',
    created,
    predefined: custom === undefined,
    internal: custom?.internal ?? false,
    attachable: custom?.attachable ?? false,
    enableIPv6: false,
    blocks: [{ subnet, gateway, ...blockExtras(custom ?? {}) }],
    options: custom?.options ?? optionsOfDefault(network),
    labels: custom?.labels ?? {},
    endpoints: network.endpoints(),
  };
}

/** `host` and `none`. Who uses them is not known here: they hand out no addresses. */
export function describePredefined(
  id: string,
  name: string,
  driver: 'host' | 'null',
  created: string,
): NetworkDescription {
  return {
    id,
    name,
    driver,
    scope: 'local',
    created,
    predefined: true,
    internal: false,
    attachable: false,
    enableIPv6: false,
    blocks: [],
    options: {},
    labels: {},
    endpoints: new Map(),
  };
}
