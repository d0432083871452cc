import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { isErrno } from '#lib';
import type { InterfaceAddress, Route, RouteSocket } from '#sys';
import { overlaps, parseIpv4, type Subnet, subnetOf } from './ipv4.ts';

/** The nameservers in a resolv.conf; a network over one of them would cut off name resolution. */
export function nameserversOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map((match) => match[1] ?? '')
    .filter((text) => isIPv4(text));
}

/** The IPv4 space that the host uses beside our own bridge. */
export function takenSubnets(
  routes: readonly Route[],
  addresses: readonly InterfaceAddress[],
  nameservers: readonly string[],
  ownLinkIndex: number | undefined,
): Subnet[] {
  const fromRoutes = routes.flatMap(({ destination, linkIndex, unicast }) =>
    destination === undefined || !unicast || (linkIndex !== undefined && linkIndex === ownLinkIndex)
      ? []
      : [subnetOf(parseIpv4(destination.address), destination.prefixLength)],
  );
  const fromAddresses = addresses.flatMap(({ address, prefixLength, linkIndex }) =>
    !isIPv4(address) || linkIndex === ownLinkIndex ? [] : [subnetOf(parseIpv4(address), prefixLength)],
  );
  return [...fromRoutes, ...fromAddresses, ...nameservers.map((address) => subnetOf(parseIpv4(address), 32))];
}

/** Whether a link that is older than ours has an address in the network which we have just chosen. */
export function isClaimedByElder(
  addresses: readonly InterfaceAddress[],
  subnet: Subnet,
  ownLinkIndex: number,
): boolean {
  return addresses.some(
    ({ address, prefixLength, linkIndex }) =>
      isIPv4(address) && linkIndex < ownLinkIndex && overlaps(subnetOf(parseIpv4(address), prefixLength), subnet),
  );
}

function hostNameservers(): string[] {
  try {
    return nameserversOf(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The same, read from this host. */
export function readTakenSubnets(socket: RouteSocket, ownLinkIndex: number | undefined): Subnet[] {
  return takenSubnets(socket.listRoutes(4), socket.listAddresses(), hostNameservers(), ownLinkIndex);
}
