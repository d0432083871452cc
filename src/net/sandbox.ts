import { closeSync, openSync } from 'node:fs';
import { EngineError } from '#errors';
import type { RouteSocket, Sys } from '#sys';
import type { Endpoint } from './contract.ts';

/** What a sandbox is joined to a bridge by. */
export interface Attachment {
  bridgeName: string;
  hostLinkName: string;
  interfaceName: string;
  macAddress: string;
  address: string;
  prefixLength: number;
  broadcast: string;
  mtu: number;
  /** Reaches nobody on the bridge but the host. */
  isolated: boolean;
}

/**
 * Makes a namespace at `path` with loopback on, and answers a socket into it. New interfaces there speak no IPv6 before
 * their network does, and announce their address when they come up: the bridge may remember an earlier container.
 */
export function createNamespace(sys: Sys, path: string, sysctls: Readonly<Record<string, string>>): RouteSocket {
  const socket = sys.namespaces.createNetns(path, () => {
    if (sys.namespaces.readSysctl('net/ipv6/conf/default/disable_ipv6') !== undefined) {
      sys.namespaces.writeSysctl('net/ipv6/conf/default/disable_ipv6', '1');
    }
    sys.namespaces.writeSysctl('net/ipv4/conf/default/arp_notify', '1');
    for (const [name, value] of Object.entries(sysctls)) applySysctl(sys, name, value);
    return sys.netlink.openRouteSocket();
  });
  if (socket === undefined) throw new Error('createNetns answered no socket');
  const loopback = socket.findLink('lo');
  if (loopback !== undefined) socket.setLink(loopback.index, { up: true });
  return socket;
}

/** Settings of one interface; `IFNAME` in their names stands for its name. */
export function applyInterfaceSysctls(
  sys: Sys,
  netnsPath: string,
  interfaceName: string,
  sysctls: Readonly<Record<string, string>>,
): void {
  sys.namespaces.withNetns(netnsPath, () => {
    for (const [name, value] of Object.entries(sysctls)) applySysctl(sys, name, value, interfaceName);
  });
}

/** @throws invalidArgument when the kernel has no such setting or refuses the value. */
function applySysctl(sys: Sys, name: string, value: string, interfaceName = ''): void {
  if (!/^net(\.[\w-]+)+$/.test(name)) return;
  try {
    sys.namespaces.writeSysctl(name.replaceAll('.', '/').replace(/\bIFNAME\b/, interfaceName), value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError('invalidArgument', 'INVALID_SYSCTL', `cannot set sysctl ${name}=${value}: ${reason}`, {
      cause,
    });
  }
}

/** Joins the namespace at `netnsPath` to a bridge: cable, address. */
export function attach(host: RouteSocket, inside: RouteSocket, netnsPath: string, attachment: Attachment): void {
  const { hostLinkName, interfaceName, macAddress, mtu } = attachment;
  const netnsFd = openSync(netnsPath, 'r');
  try {
    host.createVeth({
      name: hostLinkName,
      masterIndex: host.findLink(attachment.bridgeName)?.index,
      mtu,
      up: true,
      peer: { name: interfaceName, netnsFd, macAddress, mtu },
    });
  } finally {
    closeSync(netnsFd);
  }
  if (attachment.isolated) host.setLink(host.findLink(hostLinkName)?.index ?? 0, { isolated: true });
  const linkIndex = inside.findLink(interfaceName)?.index ?? 0;
  const { address, prefixLength, broadcast } = attachment;
  inside.addAddress({ linkIndex, address, prefixLength, broadcast });
  inside.setLink(linkIndex, { up: true });
}

/** The endpoint that leads out: the highest priority, then the first name; internal networks lead nowhere. */
export function chooseGateway(endpoints: readonly Endpoint[]): Endpoint | undefined {
  const [first] = endpoints
    .filter(({ gateway }) => gateway !== '')
    .toSorted((a, b) => b.gatewayPriority - a.gatewayPriority || (a.networkName < b.networkName ? -1 : 1));
  return first;
}

/** Makes the default route lead where it should. Routes that the container made itself stay. */
export function syncDefaultRoute(inside: RouteSocket, endpoints: readonly Endpoint[]): void {
  const wanted = chooseGateway(endpoints);
  const [present] = inside.listRoutes(4).filter(({ destination, unicast }) => destination === undefined && unicast);
  if (present !== undefined) {
    const isOurs = endpoints.some(({ gateway }) => gateway !== '' && gateway === present.gateway);
    if (!isOurs || present.gateway === wanted?.gateway) return;
    inside.removeRoute({ gateway: present.gateway, linkIndex: present.linkIndex });
  }
  if (wanted === undefined) return;
  inside.addRoute({ gateway: wanted.gateway, linkIndex: inside.findLink(wanted.interfaceName)?.index });
}

/** The first free name for one more interface. */
export function nextInterfaceName(endpoints: readonly Endpoint[]): string {
  const taken = new Set(endpoints.map(({ interfaceName }) => interfaceName));
  let index = 0;
  while (taken.has(`eth${index}`)) index += 1;
  return `eth${index}`;
}

/**
 * Takes an endpoint off the bridge in half a millisecond; deleting the link would wait 30 ms for the kernel, which does
 * it by itself when the namespace ends. The alias tells a later daemon whose it was.
 */
export function detach(host: RouteSocket, hostLinkName: string, alias: string): void {
  const link = host.findLink(hostLinkName);
  if (link !== undefined) host.setLink(link.index, { masterIndex: 0, up: false, alias });
}
