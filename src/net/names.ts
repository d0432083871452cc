import { createHash } from 'node:crypto';

/** Names are derived from ids, so that what is found in the kernel after a crash can be told apart. */

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The id of one of the daemon's predefined networks: always the same for the same bridge. */
export function predefinedNetworkId(bridgeName: string, networkName: string): string {
  return digest(`berth network ${bridgeName} ${networkName}`);
}

/**
 * The host's end of an endpoint's veth pair; 15 characters are all that the kernel takes. It is new with each start of a
 * container, since the kernel may still be busy with taking down the one before.
 */
export function vethName(endpointId: string): string {
  return `veth${digest(endpointId).slice(0, 11)}`;
}

/** A locally administered MAC address for a bridge, fixed so that it does not change with the bridge's ports. */
export function bridgeMacAddress(bridgeName: string): string {
  const bytes = digest(`berth bridge ${bridgeName}`).slice(0, 8).match(/../g) ?? [];
  return ['02', '42', ...bytes].join(':');
}

/** The MAC address that Docker gives a container: a fixed prefix and the IPv4 address. */
export function endpointMacAddress(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => ((address >>> shift) & 0xff).toString(16).padStart(2, '0'));
  return ['02', '42', ...bytes].join(':');
}

/** Marks the bridges of the networks that users made, for the daemon whose default network has this bridge. */
export function bridgeAlias(bridgeName: string): string {
  return `berth:${bridgeName}:network`;
}

/** Marks links of a bridge's network that have left the bridge and wait for their end. */
export function linkAlias(bridgeName: string): string {
  return `berth:${bridgeName}`;
}
