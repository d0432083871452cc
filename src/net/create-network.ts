import { BRIDGE_OPTION, settingsFromOptions } from './bridge/settings.ts';
import type { AddressBlockSpec, NetworkSpec } from './contract.ts';
import {
  invalidNetwork,
  invalidNetworkConfig,
  networkNameInUse,
  networkNotImplemented,
  pluginNotFound,
  poolOverlaps,
  predefinedNotCreated,
} from './errors.ts';
import { contains, formatIpv4, formatSubnet, overlaps, parseCidr, parseIpv4, type Subnet } from './ipam/ipv4.ts';
import { chooseSubnet, type Pool } from './ipam/pools.ts';
import type { NetworkRecord } from './store.ts';
import { EngineError } from '#errors';

/** What is there already. */
export interface NetworkSurroundings {
  networks: readonly NetworkRecord[];
  /** The default network's bridge. */
  defaultBridge: string;
  /** Address space that the host uses beside our networks. */
  taken: readonly Subnet[];
  pools: readonly Pool[];
  mtu: number;
}

const predefined = new Set(['bridge', 'host', 'none', 'default']);
/** What the kernel takes for an interface, and shells survive. */
const bridgeNamePattern = /^[^\s/:"]{1,15}$/;
/** A gateway and one container. */
const LONGEST_PREFIX = 30;

function checkDriver(spec: NetworkSpec): void {
  const { driver, ipamDriver } = spec;
  if (driver === 'host' || driver === 'null') {
    throw new EngineError('forbidden', 'SINGLE_NETWORK', `only one instance of "${driver}" network is allowed`);
  }
  if (['macvlan', 'ipvlan', 'overlay'].includes(driver)) throw networkNotImplemented(`the network driver ${driver}`);
  if (driver !== '' && driver !== 'bridge') throw pluginNotFound(driver);
  if (ipamDriver === 'null') throw networkNotImplemented('the address management driver null');
  if (ipamDriver !== '' && ipamDriver !== 'default') throw pluginNotFound(ipamDriver);
  if (spec.enableIPv6) throw networkNotImplemented('IPv6 networks');
}

function subnetProblem(text: string, kind: string): string | undefined {
  const { subnet } = parseCidr(text);
  return formatSubnet(subnet) === text ? undefined : `invalid ${kind} ${text}: it should be ${formatSubnet(subnet)}`;
}

function rangeProblems(text: string, subnet: Subnet): (string | undefined)[] {
  const range = parseCidr(text).subnet;
  const whole = formatSubnet(subnet);
  return [
    range.prefixLength < subnet.prefixLength
      ? `invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${whole}`
      : undefined,
    subnetProblem(text, 'ip-range'),
    overlaps(range, subnet) ? undefined : `invalid ip-range ${text}: parent subnet ${whole} doesn't contain ip-range`,
  ];
}

/** Addresses of a block that is given with its subnet, as Docker checks them: all problems at once. */
function checkBlock(block: AddressBlockSpec & { subnet: string }): Subnet {
  const { subnet } = parseCidr(block.subnet);
  const outside = (address: string, what: string): string | undefined =>
    contains(subnet, parseIpv4(address))
      ? undefined
      : `invalid ${what}: parent subnet ${formatSubnet(subnet)} doesn't contain this address`;
  const { gateway, ipRange, auxiliary = {} } = block;
  const problems = [
    subnetProblem(block.subnet, 'subnet'),
    ...(ipRange === undefined ? [] : rangeProblems(ipRange, subnet)),
    gateway === undefined ? undefined : outside(gateway, `gateway ${gateway}`),
    ...Object.entries(auxiliary).map(([name, address]) => outside(address, `auxiliary address ${name}`)),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw invalidNetworkConfig(problems);
  if (subnet.prefixLength > LONGEST_PREFIX) {
    throw invalidNetwork(`subnet ${block.subnet} is too small for a gateway and a container`);
  }
  return subnet;
}

/** The gateway: as asked for, else the first address that nothing else has. */
function gatewayFor(block: AddressBlockSpec, subnet: Subnet): string {
  if (block.gateway !== undefined) return block.gateway;
  const reserved = new Set(Object.values(block.auxiliary ?? {}));
  let address = subnet.base + 1;
  while (reserved.has(formatIpv4(address))) address += 1;
  return formatIpv4(address);
}

function chooseBlock(spec: NetworkSpec, around: NetworkSurroundings): { block: AddressBlockSpec; subnet: Subnet } {
  const [block = {}, ...more] = spec.blocks;
  if (more.length > 0) throw invalidNetwork("bridge driver doesn't support multiple subnets");
  const own = around.networks.map((network) => parseCidr(network.subnet).subnet);
  if (block.subnet === undefined) {
    if (block.gateway !== undefined || block.ipRange !== undefined) {
      throw invalidNetwork('every ip-range or gateway must have a corresponding subnet');
    }
    return { block, subnet: chooseSubnet(around.pools, [...around.taken, ...own]) };
  }
  if (block.subnet.includes(':')) throw networkNotImplemented('IPv6 networks');
  const subnet = checkBlock({ ...block, subnet: block.subnet });
  if (own.some((other) => overlaps(other, subnet))) throw poolOverlaps();
  return { block, subnet };
}

function chooseBridgeName(spec: NetworkSpec, id: string, around: NetworkSurroundings): string {
  const name = spec.options[BRIDGE_OPTION.name] ?? `br-${id.slice(0, 12)}`;
  if (!bridgeNamePattern.test(name) || name === '.' || name === '..') {
    throw invalidNetwork(`invalid bridge name ${JSON.stringify(name)}`);
  }
  const clash = around.networks.find((network) => (network.custom?.bridgeName ?? around.defaultBridge) === name);
  if (clash !== undefined) {
    throw new EngineError(
      'forbidden',
      'BRIDGE_IN_USE',
      `cannot create network ${id} (${name}): conflicts with network ${clash.id} (${name}): networks have same bridge name`,
    );
  }
  return name;
}

/**
 * Decides on everything about a network that is to be made.
 *
 * @throws {@link EngineError} with Docker's texts for what cannot be.
 */
export function planNetwork(
  spec: NetworkSpec,
  identity: { id: string; created: string },
  around: NetworkSurroundings,
): NetworkRecord {
  const { name, internal, attachable, options, labels } = spec;
  if (name.trim() === '') throw invalidNetwork('invalid name: name is empty');
  if (predefined.has(name)) throw predefinedNotCreated(name);
  checkDriver(spec);
  if (around.networks.some((network) => network.name === name)) throw networkNameInUse(name);
  const bridgeName = chooseBridgeName(spec, identity.id, around);
  settingsFromOptions(options, { bridgeName, internal, mtu: around.mtu });
  const { block, subnet } = chooseBlock(spec, around);
  return {
    ...identity,
    name,
    subnet: formatSubnet(subnet),
    gateway: gatewayFor(block, subnet),
    custom: {
      bridgeName,
      internal,
      attachable,
      options,
      labels,
      ...(block.ipRange === undefined ? {} : { ipRange: block.ipRange }),
      ...(block.auxiliary === undefined ? {} : { auxiliary: block.auxiliary }),
    },
  };
}
