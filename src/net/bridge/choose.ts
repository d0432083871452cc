import type { Logger } from '#lib';
import { formatIpv4, formatSubnet, overlaps, parseCidr, type Subnet } from '../ipam/ipv4.ts';
import { chooseSubnet, type Pool } from '../ipam/pools.ts';
import type { NetworkRecord } from '../store.ts';

export interface NetworkChoice {
  id: string;
  name: string;
  /** `--bip`. */
  bridgeAddress: string | undefined;
  pools: readonly Pool[];
  /** What the host uses otherwise. */
  taken: readonly Subnet[];
  /** The network as it was at the last start. */
  stored: NetworkRecord | undefined;
  /** Whether containers still have addresses in it. */
  inUse: boolean;
  created: string;
  logger: Logger;
}

/**
 * Decides on the default network: as configured, else as it was, else the first free one. A stored network that meets
 * a route which the host got since is given up, unless containers live in it.
 */
export function chooseNetwork(choice: NetworkChoice): NetworkRecord {
  const { id, name, stored } = choice;
  const record = (subnet: Subnet, gateway: number): NetworkRecord => ({
    id,
    name,
    subnet: formatSubnet(subnet),
    gateway: formatIpv4(gateway),
    created: stored?.created ?? choice.created,
  });
  if (choice.bridgeAddress !== undefined) {
    const { address, subnet } = parseCidr(choice.bridgeAddress);
    return record(subnet, address);
  }
  if (stored !== undefined) {
    const { subnet } = parseCidr(stored.subnet);
    const clash = choice.taken.some((taken) => overlaps(taken, subnet));
    if (!clash) return stored;
    if (choice.inUse) {
      choice.logger.warn('the default network overlaps a route of the host', { subnet: stored.subnet });
      return stored;
    }
  }
  const subnet = chooseSubnet(choice.pools, choice.taken);
  return record(subnet, subnet.base + 1);
}
