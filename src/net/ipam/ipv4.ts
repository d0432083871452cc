import { isIPv4 } from 'node:net';
import { EngineError } from '#errors';

/** A block of IPv4 addresses; addresses are unsigned 32-bit numbers. */
export interface Subnet {
  /** First address. */
  base: number;
  prefixLength: number;
}

function invalid(text: string): EngineError {
  return new EngineError('invalidArgument', 'NETWORK_INVALID_ADDRESS', `invalid IPv4 address or subnet: ${text}`);
}

/** @throws {@link EngineError} invalidArgument */
export function parseIpv4(text: string): number {
  if (!isIPv4(text)) throw invalid(text);
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

/** How many addresses a block has. */
export function subnetSize(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefixLength);
}

/** The block of this length that holds `address`. */
export function subnetOf(address: number, prefixLength: number): Subnet {
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(address / size) * size, prefixLength };
}

/**
 * Parses `10.0.0.1/24` into the address and its block.
 *
 * @throws {@link EngineError} invalidArgument
 */
export function parseCidr(text: string): { address: number; subnet: Subnet } {
  const [address = '', length = ''] = text.split('/', 2);
  const prefixLength = Number(length);
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32) throw invalid(text);
  const parsed = parseIpv4(address);
  return { address: parsed, subnet: subnetOf(parsed, prefixLength) };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatIpv4(subnet.base)}/${subnet.prefixLength}`;
}

export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + subnetSize(subnet);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + subnetSize(b) && b.base < a.base + subnetSize(a);
}
