/**
 * Netlink's wire format (netlink(7)): messages of a 16-byte header and a body; the body is a fixed structure followed
 * by attributes, each a length, a type and a value padded to four bytes, which may hold attributes again.
 */

/** Flags of a message. */
export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  DUMP_INTERRUPTED: 0x10,
  /** In an error answer: the request is cut off after its header. */
  CAPPED: 0x100,
  /** In an error answer: attributes with the kernel's own words follow. */
  ACK_TLVS: 0x200,
  /** In a dump request. */
  DUMP: 0x300,
  /** In a request that makes something: refuse what exists. */
  EXCL: 0x200,
  REPLACE: 0x100,
  CREATE: 0x400,
} as const;

/** Message types that every netlink protocol shares. */
export const NLMSG = { ERROR: 2, DONE: 3 } as const;

export const MESSAGE_HEADER_SIZE = 16;
const ATTRIBUTE_HEADER_SIZE = 4;
const NLA_F_NESTED = 0x8000;
/** The two upper bits are flags. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

export interface NetlinkMessage {
  type: number;
  flags: number;
  sequence: number;
  body: Buffer;
}

export type Attributes = ReadonlyMap<number, Buffer>;

function aligned(length: number): number {
  return (length + 3) & ~3;
}

export function encodeMessage(message: NetlinkMessage): Buffer {
  const header = Buffer.alloc(MESSAGE_HEADER_SIZE);
  header.writeUInt32LE(MESSAGE_HEADER_SIZE + message.body.length, 0);
  header.writeUInt16LE(message.type, 4);
  header.writeUInt16LE(message.flags, 6);
  header.writeUInt32LE(message.sequence, 8);
  return Buffer.concat([header, message.body]);
}

/** The messages in one datagram; a cut-off one at the end is left out. Bodies are views of `datagram`. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + MESSAGE_HEADER_SIZE <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < MESSAGE_HEADER_SIZE || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + MESSAGE_HEADER_SIZE, offset + length),
    });
    offset += aligned(length);
  }
  return messages;
}

/** One attribute with its padding. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const length = ATTRIBUTE_HEADER_SIZE + value.length;
  const encoded = Buffer.alloc(aligned(length));
  encoded.writeUInt16LE(length, 0);
  encoded.writeUInt16LE(type, 2);
  encoded.set(value, ATTRIBUTE_HEADER_SIZE);
  return encoded;
}

export function u32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return attribute(type, bytes);
}

/** A NUL-terminated string. */
export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

export function nestedAttribute(type: number, ...inner: readonly Uint8Array[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(inner));
}

/** Attributes in their order, up to the first broken one. Values are views of `bytes`. */
export function decodeAttributeList(bytes: Buffer): [type: number, value: Buffer][] {
  const attributes: [number, Buffer][] = [];
  let offset = 0;
  while (offset + ATTRIBUTE_HEADER_SIZE <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_SIZE || offset + length > bytes.length) break;
    const type = bytes.readUInt16LE(offset + 2) & ATTRIBUTE_TYPE_MASK;
    attributes.push([type, bytes.subarray(offset + ATTRIBUTE_HEADER_SIZE, offset + length)]);
    offset += aligned(length);
  }
  return attributes;
}

/** The same by type; of two with one type the last counts. */
export function decodeAttributes(bytes: Buffer): Attributes {
  return new Map(decodeAttributeList(bytes));
}

/** A text value without its closing NUL. */
export function readText(value: Buffer | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end === -1 ? value.length : end);
}

export function readU32(value: Buffer | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : value.readUInt32LE(0);
}
