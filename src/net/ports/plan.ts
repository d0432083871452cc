import { isIPv6 } from 'node:net';
import type { PortProtocol, PortRequest } from '../contract.ts';

/** One port of a container, and the addresses of the host at which it gets the same port. */
export interface PortGroup {
  protocol: PortProtocol;
  containerPort: number;
  hostAddresses: readonly string[];
  hostPorts: PortRequest['hostPorts'];
}

/** What decides on requests that name no address. */
export interface PortDefaults {
  /** The network's; `0.0.0.0` stands for IPv6 as well where the host has it. */
  hostBinding: string;
  ipv6: boolean;
}

const ANY = '0.0.0.0';
const ANY_IPV6 = '::';

function addressesOf({ hostAddress, protocol }: PortRequest, { hostBinding, ipv6 }: PortDefaults): string[] {
  const address = hostAddress === '' ? hostBinding : hostAddress;
  if (hostAddress !== '' || hostBinding !== ANY || !ipv6) return [address];
  // Nobody forwards SCTP from IPv6.
  return protocol === 'sctp' ? [ANY] : [ANY, ANY_IPV6];
}

/** Ports that are named come before those to choose, which might take them. */
function choices({ hostPorts }: Pick<PortGroup, 'hostPorts'>): number {
  return hostPorts === undefined ? Infinity : hostPorts.last - hostPorts.first;
}

function sameButAddress(a: Omit<PortGroup, 'hostAddresses'>, b: Omit<PortGroup, 'hostAddresses'>): boolean {
  return (
    a.protocol === b.protocol &&
    a.containerPort === b.containerPort &&
    a.hostPorts?.first === b.hostPorts?.first &&
    a.hostPorts?.last === b.hostPorts?.last
  );
}

/** In which order ports are chosen, and which are to be the same at several addresses. */
export function planPorts(requests: readonly PortRequest[], defaults: PortDefaults): PortGroup[] {
  const groups: (PortGroup & { hostAddresses: string[] })[] = [];
  for (const request of requests) {
    const { protocol, containerPort, hostPorts } = request;
    for (const address of addressesOf(request, defaults)) {
      const group = groups.find((one) => sameButAddress(one, request) && !one.hostAddresses.includes(address));
      if (group === undefined) groups.push({ protocol, containerPort, hostPorts, hostAddresses: [address] });
      else group.hostAddresses.push(address);
    }
  }
  return groups.toSorted(
    (a, b) => choices(a) - choices(b) || a.containerPort - b.containerPort || (a.protocol < b.protocol ? -1 : 0),
  );
}

/** Whether a socket at one address keeps another from the same port. */
export function addressesClash(a: string, b: string): boolean {
  return isIPv6(a) === isIPv6(b) && (a === b || [a, b].some((one) => one === ANY || one === ANY_IPV6));
}
