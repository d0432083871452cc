import { attribute, decodeAttributes, readText, u32Attribute } from './codec.ts';
import { familyOf, ipFromBytes, ipToBytes } from './addresses-text.ts';

/** Message types for addresses. */
export const RTM_ADDRESS = { NEW: 20, DELETE: 21, GET: 22 } as const;

const IFA = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, FLAGS: 8 } as const;
/** Use an IPv6 address at once, without asking the link for others that have it. */
const IFA_F_NODAD = 2;
/** `struct ifaddrmsg` */
const ADDRESS_HEADER_SIZE = 8;

export interface InterfaceAddress {
  linkIndex: number;
  address: string;
  prefixLength: number;
  /** IPv4; undefined leaves the kernel without one. */
  broadcast?: string | undefined;
}

/** Body that adds or removes an address. */
export function encodeAddress(address: InterfaceAddress): Buffer {
  const bytes = ipToBytes(address.address);
  const header = Buffer.alloc(ADDRESS_HEADER_SIZE);
  header.writeUInt8(familyOf(bytes), 0);
  header.writeUInt8(address.prefixLength, 1);
  header.writeUInt32LE(address.linkIndex, 4);
  const attributes = [attribute(IFA.LOCAL, bytes), attribute(IFA.ADDRESS, bytes)];
  if (address.broadcast !== undefined) attributes.push(attribute(IFA.BROADCAST, ipToBytes(address.broadcast)));
  if (bytes.length === 16) attributes.push(u32Attribute(IFA.FLAGS, IFA_F_NODAD));
  return Buffer.concat([header, ...attributes]);
}

/** Body that asks for the addresses of one link (0: all). */
export function encodeAddressQuery(linkIndex: number): Buffer {
  const header = Buffer.alloc(ADDRESS_HEADER_SIZE);
  header.writeUInt32LE(linkIndex, 4);
  return header;
}

export function decodeAddress(body: Buffer): InterfaceAddress & { label: string | undefined } {
  const attributes = decodeAttributes(body.subarray(ADDRESS_HEADER_SIZE));
  const local = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  const broadcast = attributes.get(IFA.BROADCAST);
  return {
    linkIndex: body.readUInt32LE(4),
    address: local === undefined ? '' : ipFromBytes(local),
    prefixLength: body.readUInt8(1),
    broadcast: broadcast === undefined ? undefined : ipFromBytes(broadcast),
    label: readText(attributes.get(IFA.LABEL)),
  };
}
