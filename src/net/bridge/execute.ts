import type { RouteSocket, Sys } from '#sys';
import { formatIpv4, parseIpv4, subnetOf, subnetSize } from '../ipam/ipv4.ts';
import { type BridgeStep, type CurrentBridge, planBridge, type WantedBridge } from './plan.ts';

function broadcastOf(address: string, prefixLength: number): string {
  const subnet = subnetOf(parseIpv4(address), prefixLength);
  return formatIpv4(subnet.base + subnetSize(subnet) - 1);
}

function linkIndex(socket: RouteSocket, name: string): number {
  return socket.findLink(name)?.index ?? 0;
}

function executeStep(socket: RouteSocket, bridgeName: string, step: BridgeStep): void {
  switch (step.step) {
    case 'createBridge':
      socket.createBridge({ name: step.name, macAddress: step.macAddress, mtu: step.mtu });
      return;
    case 'removeAddress':
      socket.removeAddress({
        linkIndex: linkIndex(socket, bridgeName),
        address: step.address,
        prefixLength: step.prefixLength,
      });
      return;
    case 'addAddress':
      socket.addAddress({
        linkIndex: linkIndex(socket, bridgeName),
        address: step.address,
        prefixLength: step.prefixLength,
        broadcast: broadcastOf(step.address, step.prefixLength),
      });
      return;
    case 'setBridge': {
      const { step: _step, ...settings } = step;
      socket.setLink(linkIndex(socket, bridgeName), settings);
    }
  }
}

/** Reads what the kernel has under the bridge's name. */
export function readBridge(socket: RouteSocket, name: string): CurrentBridge {
  const link = socket.findLink(name);
  return { link, addresses: link === undefined ? [] : socket.listAddresses(link.index) };
}

/** Makes or corrects the bridge, and lets no container speak to it as an IPv6 router (CVE-2020-13401). */
export function ensureBridge(sys: Sys, socket: RouteSocket, wanted: WantedBridge): void {
  for (const step of planBridge(readBridge(socket, wanted.name), wanted)) executeStep(socket, wanted.name, step);
  const acceptRa = `net/ipv6/conf/${wanted.name}/accept_ra`;
  const current = sys.namespaces.readSysctl(acceptRa);
  if (current !== undefined && current !== '0') sys.namespaces.writeSysctl(acceptRa, '0');
}
