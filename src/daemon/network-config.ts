import { isIP } from 'node:net';
import { EngineError } from '#errors';
import { parseCidr, type Pool } from '#net';

/** How the daemon's networks are: dockerd's flags of these names. */
export interface NetworkConfig {
  /** Where networks that name no subnet are cut from; undefined for Docker's own space. */
  pools: readonly Pool[] | undefined;
  /** Part of the default network that containers get addresses from. */
  fixedCidr: string | undefined;
  mtu: number | undefined;
  interContainer: boolean;
  ipMasquerade: boolean;
  ipForward: boolean;
  firewall: boolean;
  /** Where ports are published that name no address. */
  hostBinding: string;
  /** Published ports obey the host's rules for what comes in. */
  respectFirewall: boolean;
  /** Tell whoever publishes a port on all of the host's addresses. */
  warnPublicPorts: boolean;
}

/** What of the flags and `daemon.json` is asked for by name. */
export interface NetworkValues {
  text(name: 'fixed-cidr' | 'mtu' | 'ip', fallback: string): string;
  list(name: 'default-address-pool'): string[];
  flag(
    name: 'icc' | 'ip-masq' | 'ip-forward' | 'iptables' | 'respect-firewall' | 'warn-public-ports',
    fallback: boolean,
  ): boolean;
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_CONFIG', message);
}

/** `base=172.30.0.0/16,size=24` */
function parsePool(text: string): Pool {
  const { base = '', size = '' } = Object.fromEntries(
    text.split(',').map((part): [string, string] => {
      const separator = part.indexOf('=');
      return [part.slice(0, separator).trim().toLowerCase(), part.slice(separator + 1).trim()];
    }),
  );
  const refuse = (reason: string): never => {
    throw invalid(`invalid default address pool "${text}": ${reason}`);
  };
  if (base === '' || !/^\d+$/.test(size)) return refuse('base=CIDR,size=NUMBER is expected');
  const { subnet } = parseCidr(base);
  const prefixLength = Number(size);
  if (prefixLength < subnet.prefixLength || prefixLength > 30) {
    return refuse(`the size is to be between ${subnet.prefixLength} and 30`);
  }
  return { space: subnet, prefixLength };
}

/** `default-address-pools` of daemon.json, in the words of the flag. */
export function poolList(value: unknown, problem: (reason: string) => EngineError): string[] {
  const isPool = (item: unknown): item is { base: string; size: number } =>
    typeof item === 'object' &&
    item !== null &&
    'base' in item &&
    'size' in item &&
    typeof item.base === 'string' &&
    typeof item.size === 'number';
  if (!Array.isArray(value) || !value.every(isPool)) {
    throw problem('default-address-pools: a list of objects with base and size is expected');
  }
  return value.map(({ base, size }) => `base=${base},size=${size}`);
}

function parseMtu(text: string): number | undefined {
  if (text === '' || text === '0') return undefined;
  const mtu = Number(text);
  if (!/^\d+$/.test(text) || mtu < 68 || mtu > 65535) throw invalid(`invalid MTU "${text}"`);
  return mtu;
}

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw invalid(`invalid IP address: ${text}`);
  return text;
}

/** @throws invalidArgument for pools, ranges and sizes that cannot be. */
export function toNetworkConfig(given: NetworkValues): NetworkConfig {
  const pools = given.list('default-address-pool').map(parsePool);
  const fixedCidr = given.text('fixed-cidr', '');
  if (fixedCidr !== '') parseCidr(fixedCidr);
  return {
    pools: pools.length === 0 ? undefined : pools,
    fixedCidr: fixedCidr === '' ? undefined : fixedCidr,
    mtu: parseMtu(given.text('mtu', '')),
    interContainer: given.flag('icc', true),
    ipMasquerade: given.flag('ip-masq', true),
    ipForward: given.flag('ip-forward', true),
    firewall: given.flag('iptables', true),
    hostBinding: parseAddress(given.text('ip', '0.0.0.0')),
    respectFirewall: given.flag('respect-firewall', false),
    warnPublicPorts: given.flag('warn-public-ports', false),
  };
}
