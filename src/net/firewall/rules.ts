import { ifnameBytes, type NftExpression, type NftVerdict } from '#sys';

/** Parts of rules; a rule is the parts it needs, one behind the other. Each begins with register 0 anew. */

export const CT_STATE = { established: 2, related: 4 } as const;
export const CT_STATUS = { dnat: 0x20 } as const;

const NFPROTO_IPV4 = 2;
/** How many registers an interface's name fills. */
const IFNAME_REGISTERS = 4;
const IPV4_SOURCE_OFFSET = 12;
const IPV4_DESTINATION_OFFSET = 16;
const DESTINATION_PORT_OFFSET = 2;
/** `RTN_LOCAL`: an address of this host. */
const LOCAL_ADDRESS = 2;
const LOOPBACK = Buffer.from([127, 0, 0, 0]);
const LOOPBACK_MASK = Buffer.from([255, 0, 0, 0]);

function hostOrder(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The packet comes or goes by this interface. */
export function isInterface(key: 'iifname' | 'oifname', name: string): NftExpression[] {
  return [
    { op: 'meta', key, register: 0 },
    { op: 'cmp', register: 0, comparison: 'eq', data: ifnameBytes(name) },
  ];
}

/** The packet comes or goes by an interface in the set, or (`invert`) by one that is not. */
export function interfaceIn(key: 'iifname' | 'oifname', set: string, invert = false): NftExpression[] {
  return [
    { op: 'meta', key, register: 0 },
    { op: 'lookup', set, register: 0, ...(invert ? { invert } : {}) },
  ];
}

/** The set has the pair of interfaces that the packet comes and goes by. */
export function interfacePairIn(set: string): NftExpression[] {
  return [
    { op: 'meta', key: 'iifname', register: 0 },
    { op: 'meta', key: 'oifname', register: IFNAME_REGISTERS },
    { op: 'lookup', set, register: 0 },
  ];
}

/** The packet's connection has one of these bits. */
export function connectionHas(key: 'state' | 'status', bits: number): NftExpression[] {
  return [
    { op: 'ct', key, register: 0 },
    { op: 'bitwise', register: 0, mask: hostOrder(bits), xor: hostOrder(0) },
    { op: 'cmp', register: 0, comparison: 'neq', data: hostOrder(0) },
  ];
}

export function isIpv4(): NftExpression[] {
  return [
    { op: 'meta', key: 'nfproto', register: 0 },
    { op: 'cmp', register: 0, comparison: 'eq', data: Buffer.from([NFPROTO_IPV4]) },
  ];
}

/** The source address is in the set; behind {@link isIpv4}. */
export function ipv4SourceIn(set: string): NftExpression[] {
  return [
    { op: 'payload', base: 'network', offset: IPV4_SOURCE_OFFSET, length: 4, register: 0 },
    { op: 'lookup', set, register: 0 },
  ];
}

/** The set has the pair of source and destination; behind {@link isIpv4}. */
export function ipv4PairIn(set: string): NftExpression[] {
  return [
    { op: 'payload', base: 'network', offset: IPV4_SOURCE_OFFSET, length: 4, register: 0 },
    { op: 'payload', base: 'network', offset: IPV4_DESTINATION_OFFSET, length: 4, register: 1 },
    { op: 'lookup', set, register: 0 },
  ];
}

/** The packet comes from 127.0.0.0/8, or goes there; behind {@link isIpv4}. */
export function ipv4Loopback(end: 'source' | 'destination'): NftExpression[] {
  const offset = end === 'source' ? IPV4_SOURCE_OFFSET : IPV4_DESTINATION_OFFSET;
  return [
    { op: 'payload', base: 'network', offset, length: 4, register: 0 },
    { op: 'bitwise', register: 0, mask: LOOPBACK_MASK, xor: hostOrder(0) },
    { op: 'cmp', register: 0, comparison: 'eq', data: LOOPBACK },
  ];
}

/** The packet is for one of the host's addresses. */
export function isForHost(): NftExpression[] {
  return [
    { op: 'fib', of: ['daddr'], register: 0 },
    { op: 'cmp', register: 0, comparison: 'eq', data: hostOrder(LOCAL_ADDRESS) },
  ];
}

/**
 * Leads the packet to the address and port that the map has for its protocol and port, with its address before them or
 * without; behind {@link isIpv4}.
 */
export function destinationByMap(map: string, withAddress: boolean): NftExpression[] {
  const protocol = withAddress ? 1 : 0;
  const address: NftExpression = {
    op: 'payload',
    base: 'network',
    offset: IPV4_DESTINATION_OFFSET,
    length: 4,
    register: 0,
  };
  return [
    ...(withAddress ? [address] : []),
    { op: 'meta', key: 'l4proto', register: protocol },
    { op: 'payload', base: 'transport', offset: DESTINATION_PORT_OFFSET, length: 2, register: protocol + 1 },
    { op: 'lookup', set: map, register: 0, into: 0 },
    { op: 'nat', type: 'dnat', family: 'ip', addressRegister: 0, portRegister: 1 },
  ];
}

export function verdict(what: NftVerdict): NftExpression[] {
  return [{ op: 'verdict', verdict: what }];
}
