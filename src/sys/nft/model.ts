import type { NftField, NftValue } from './fields.ts';
import type { COMPARISON, CT_KEY, FAMILY, FIB_FLAG, HOOK, META_KEY, NAT_TYPE, PAYLOAD_BASE } from './numbers.ts';

export type NftFamily = keyof typeof FAMILY;
export type NftPolicy = 'accept' | 'drop';

/** What happens to a packet; a jump comes back behind its rule, a goto does not. */
export type NftVerdict = 'accept' | 'drop' | 'continue' | 'return' | { jump: string } | { goto: string };

/**
 * One step of a rule; steps go from left to right until one does not match. Registers are the kernel's sixteen of four
 * bytes each, 0 to 15; what is longer fills those that follow, and a concatenated key is what stands in a row.
 */
export type NftExpression =
  | { op: 'meta'; key: keyof typeof META_KEY; register: number }
  | { op: 'ct'; key: keyof typeof CT_KEY; register: number }
  | { op: 'payload'; base: keyof typeof PAYLOAD_BASE; offset: number; length: number; register: number }
  /** Writes a part of the packet's header, and the checksum at `checksumOffset` of the same header anew. */
  | {
      op: 'payloadSet';
      base: keyof typeof PAYLOAD_BASE;
      offset: number;
      length: number;
      register: number;
      checksumOffset: number;
    }
  /** `register = register & mask ^ xor`, in place. */
  | { op: 'bitwise'; register: number; mask: Buffer; xor: Buffer }
  | { op: 'cmp'; register: number; comparison: keyof typeof COMPARISON; data: Buffer }
  /** Matches when the set has the key (`invert`: has it not). With `into` it loads what a map has for the key. */
  | { op: 'lookup'; set: string; register: number; into?: number; invert?: boolean }
  /** Goes on with the verdict that a map has for the key. */
  | { op: 'verdictMap'; map: string; register: number }
  /** The kind of an address as routes see it (`RTN_LOCAL` is 2), as a number in host order. */
  | { op: 'fib'; of: readonly (keyof typeof FIB_FLAG)[]; register: number }
  | { op: 'load'; register: number; data: Buffer }
  | { op: 'counter' }
  | { op: 'masquerade' }
  | { op: 'nat'; type: keyof typeof NAT_TYPE; family: 'ip' | 'ip6'; addressRegister: number; portRegister?: number }
  | { op: 'verdict'; verdict: NftVerdict };

export interface NftTableRef {
  family: NftFamily;
  table: string;
}

export interface NftElement {
  /** One value for each field of the set's key. */
  key: readonly NftValue[];
  /** For maps: one value for each field of the map's data, or a verdict. */
  data?: readonly NftValue[] | { verdict: NftVerdict };
  /** In sets of intervals: the first value behind one. An interval that ends with the last value of all has none. */
  intervalEnd?: boolean;
}

export interface NftSet {
  name: string;
  key: readonly NftField[];
  /** Makes it a map. */
  data?: readonly NftField[] | 'verdict';
  /** Keys are intervals; of a single field. */
  interval?: boolean;
}

export interface NftBaseChain {
  type: 'filter' | 'nat';
  hook: keyof typeof HOOK;
  priority: number;
  policy: NftPolicy;
}

export interface NftChain {
  name: string;
  /** Where the kernel calls it; without one it is only jumped to. */
  base?: NftBaseChain;
}

/** A table from top to bottom. */
export interface NftTable extends NftTableRef {
  sets: readonly (NftSet & { elements: readonly NftElement[] })[];
  chains: readonly (NftChain & { rules: readonly (readonly NftExpression[])[] })[];
}

/** A chain that the kernel calls, as a listing shows it; of whatever table and hook. */
export interface ListedChain {
  /** Undefined for the families that this module does not speak of (bridge, arp, netdev). */
  family: NftFamily | undefined;
  table: string;
  name: string;
  hook: keyof typeof HOOK | undefined;
  policy: NftPolicy | undefined;
}

export interface ListedRule {
  handle: bigint;
  /** Undefined stands for an expression that this module does not know. */
  expressions: readonly (NftExpression | undefined)[];
}
