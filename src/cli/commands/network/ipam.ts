import { BlockList, isIP } from 'node:net';
import type { NetworkIpamConfig } from '#spec';
import { CliError } from '../../framework/index.ts';

/** What the flags say about addresses, before it is known which belongs to which subnet. */
export interface IpamOptions {
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  readonly auxiliary: Readonly<Record<string, string>>;
}

interface Subnet {
  readonly text: string;
  readonly list: BlockList;
  config: NetworkIpamConfig;
}

/**
 * Sorts ranges, gateways and auxiliary addresses to their subnets.
 *
 * @throws CliError when one fits none, or a subnet overlaps another.
 */
export function ipamConfig(options: IpamOptions): NetworkIpamConfig[] {
  const { ranges, gateways, auxiliary } = options;
  if (options.subnets.length < ranges.length || options.subnets.length < gateways.length) {
    throw new CliError('every ip-range or gateway must have a corresponding subnet');
  }
  const subnets: Subnet[] = [];
  for (const text of options.subnets) {
    const subnet = parseSubnet(text);
    if (subnets.some((other) => contains(other, text) || contains(subnet, other.text))) {
      throw new CliError('multiple overlapping subnet configuration is not supported');
    }
    subnets.push(subnet);
  }
  for (const range of ranges) {
    const subnet = subnetOf(subnets, range, `no matching subnet for range ${range}`);
    if (subnet.config.IPRange !== undefined) {
      const both = `${range}, ${subnet.config.IPRange}`;
      throw new CliError(`cannot configure multiple ranges (${both}) on the same subnet (${subnet.text})`);
    }
    subnet.config = { ...subnet.config, IPRange: range };
  }
  for (const gateway of gateways) {
    const subnet = subnetOf(subnets, gateway, `no matching subnet for gateway ${gateway}`);
    if (subnet.config.Gateway !== undefined) {
      const both = `${gateway}, ${subnet.config.Gateway}`;
      throw new CliError(`cannot configure multiple gateways (${both}) for the same subnet (${subnet.text})`);
    }
    subnet.config = { ...subnet.config, Gateway: gateway };
  }
  for (const [name, address] of Object.entries(auxiliary)) {
    const subnet = subnetOf(subnets, address, `no matching subnet for aux-address ${address}`);
    const known = subnet.config.AuxiliaryAddresses ?? {};
    subnet.config = { ...subnet.config, AuxiliaryAddresses: { ...known, [name]: address } };
  }
  return subnets.map(({ config }) => config);
}

function parseSubnet(text: string): Subnet {
  const [address = '', bits = ''] = text.split('/');
  const family = isIP(address);
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    throw new CliError(`invalid CIDR address: ${text}`);
  }
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return { text, list, config: { Subnet: text } };
}

function contains(subnet: Subnet, text: string): boolean {
  const address = text.split('/')[0] ?? '';
  const family = isIP(address);
  if (family === 0) throw new CliError(`invalid IP address: ${text}`);
  return subnet.list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function subnetOf(subnets: readonly Subnet[], address: string, complaint: string): Subnet {
  const found = subnets.find((subnet) => contains(subnet, address));
  if (!found) throw new CliError(complaint);
  return found;
}
