import { EngineError } from '#errors';
import { ipToBytes } from '../netlink/addresses-text.ts';

/** As nft(8) numbers them. */
const BYTE_ORDER = { host: 1, network: 2 } as const;

interface FieldType {
  type: number;
  lengthBytes: number;
  order: number;
}

export type NftField = 'ipv4_addr' | 'ipv6_addr' | 'inet_proto' | 'inet_service' | 'mark' | 'ifname';

/** What keys and data of sets consist of; `type` and `order` are what nft(8) shows a field by, and tell the kernel nothing. */
const fields: Readonly<Record<NftField, FieldType>> = {
  ipv4_addr: { type: 7, lengthBytes: 4, order: BYTE_ORDER.network },
  ipv6_addr: { type: 8, lengthBytes: 16, order: BYTE_ORDER.network },
  inet_proto: { type: 12, lengthBytes: 1, order: BYTE_ORDER.network },
  inet_service: { type: 13, lengthBytes: 2, order: BYTE_ORDER.network },
  mark: { type: 19, lengthBytes: 4, order: BYTE_ORDER.host },
  ifname: { type: 41, lengthBytes: 16, order: BYTE_ORDER.host },
};

/** One field's value: an address, the name of an interface, or the number of a protocol, port or mark. */
export type NftValue = string | number;

/** How many bits of a type number each field of a concatenation takes. */
const TYPE_BITS = 6;

function padded(lengthBytes: number): number {
  return (lengthBytes + 3) & ~3;
}

/** The number that nft(8) has for a concatenation of fields. */
export function typeOfFields(names: readonly NftField[]): number {
  return names.reduce((type, name) => (type << TYPE_BITS) | fields[name].type, 0);
}

/** The byte order that nft(8) shows a key or data in; a concatenation has none. */
export function orderOfFields(names: readonly NftField[]): number {
  const [only] = names;
  return names.length === 1 && only !== undefined ? fields[only].order : 0;
}

/** The length of a concatenation, each field of which begins at a register of its own. */
export function lengthOfFields(names: readonly NftField[]): number {
  const [only] = names;
  if (names.length === 1 && only !== undefined) return fields[only].lengthBytes;
  return names.reduce((length, name) => length + padded(fields[name].lengthBytes), 0);
}

function invalidValue(field: NftField, value: NftValue): EngineError {
  return new EngineError('invalidArgument', 'SYS_NFT_VALUE', `nft: ${JSON.stringify(value)} is no ${field}`);
}

/** An interface's name as `meta iifname` loads it: filled up with zeros. */
export function ifnameBytes(name: string): Buffer {
  const bytes = Buffer.alloc(fields.ifname.lengthBytes);
  if (name.length === 0 || bytes.write(name) >= bytes.length) throw invalidValue('ifname', name);
  return bytes;
}

function valueBytes(field: NftField, value: NftValue): Buffer {
  const bytes = Buffer.alloc(fields[field].lengthBytes);
  switch (field) {
    case 'ifname':
      return ifnameBytes(String(value));
    case 'ipv4_addr':
    case 'ipv6_addr': {
      const address = ipToBytes(String(value));
      if (address.length !== bytes.length) throw invalidValue(field, value);
      return address;
    }
    case 'inet_proto':
      bytes.writeUInt8(Number(value));
      return bytes;
    case 'inet_service':
      bytes.writeUInt16BE(Number(value));
      return bytes;
    case 'mark':
      bytes.writeUInt32LE(Number(value));
      return bytes;
  }
}

/** The bytes of a key or of data. @throws {@link EngineError} invalidArgument for a value that does not fit its field. */
export function encodeFields(names: readonly NftField[], values: readonly NftValue[]): Buffer {
  if (names.length !== values.length) throw invalidValue(names[0] ?? 'mark', values.join(' . '));
  const parts = names.map((name, index) => valueBytes(name, values[index] ?? ''));
  if (parts.length === 1) return parts[0] ?? Buffer.alloc(0);
  const bytes = Buffer.alloc(lengthOfFields(names));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += padded(part.length);
  }
  return bytes;
}
