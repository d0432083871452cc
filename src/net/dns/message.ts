/**
 * The part of the DNS protocol that answers about containers need; what is forwarded goes through as bytes.
 *
 * A message is a header of twelve bytes, then questions, answers, authorities and additional records.
 *
 * @see RFC 1035, section 4; RFC 6891 for EDNS
 */

export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const CLASS = { IN: 1, ANY: 255 } as const;
export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

export const HEADER_BYTES = 12;
/** What every client takes in one datagram. */
export const PLAIN_UDP_BYTES = 512;
/** What we say that we take in one datagram, and send at most. */
export const MAX_UDP_BYTES = 4096;
/** How long clients may keep what they were told about a container. */
const TTL_SECONDS = 600;
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
/** An OPT record without options. */
const OPT_BYTES = 11;
/** A pointer to the question's name, type, class, time to live, length. */
const RECORD_HEADER_BYTES = 12;

const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  checkingDisabled: 0x0010,
};
const RECURSION_AVAILABLE = 0x0080;
const DNSSEC_OK = 0x8000;
const BAD_VERSION = 1;

/** A question that can be answered or forwarded. */
export interface Query {
  id: number;
  /** In lower case, without the last dot; undefined when it has bytes that names of ours never have. */
  name: string | undefined;
  type: number;
  class: number;
  /** Where the question ends. */
  questionEnd: number;
  /** How long an answer in one datagram may be. */
  udpBytes: number;
  /** The client spoke EDNS, and so do answers. */
  edns: { dnssecOk: boolean } | undefined;
  /** Of an EDNS that nobody knows. */
  badVersion: boolean;
}

/** What is wrong with a message; undefined means that it is to be ignored. */
export interface BadQuery {
  rcode: Rcode | undefined;
}

function printable(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== 0x2e;
}

/** The end of a question's name, or -1. Questions have no pointers, so there is nothing to go round in. */
function endOfName(packet: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = packet[at];
    if (length === undefined || length > MAX_LABEL_BYTES) return -1;
    at += 1 + length;
    if (length === 0) return at - start <= MAX_NAME_BYTES ? at : -1;
  }
}

function nameText(packet: Buffer, start: number, end: number): string | undefined {
  let text = '';
  let at = start;
  while (at < end - 1) {
    const length = packet[at] ?? 0;
    for (let index = at + 1; index <= at + length; index++) {
      if (!printable(packet[index] ?? 0)) return undefined;
    }
    if (text !== '') text += '.';
    text += packet.toString('latin1', at + 1, at + 1 + length);
    at += 1 + length;
  }
  return text.toLowerCase();
}

/** The end of a record's name, which may be a pointer and is not followed; -1 when there is none. */
function skipName(packet: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = packet[at];
    if (length === undefined) return -1;
    if (length >= 0xc0) return at + 2;
    if (length > MAX_LABEL_BYTES) return -1;
    at += 1 + length;
    if (length === 0) return at;
  }
}

/** Where the OPT record's type stands, undefined without one; -1 when a record is broken. */
function findOpt(packet: Buffer, start: number, records: number): number | undefined {
  let at = start;
  for (let index = 0; index < records; index++) {
    const type = skipName(packet, at);
    if (type === -1 || type + 10 > packet.length) return -1;
    if (packet.readUInt16BE(type) === TYPE.OPT) return type;
    at = type + 10 + packet.readUInt16BE(type + 8);
  }
  return undefined;
}

/** Reads a query of one question. */
export function parseQuery(packet: Buffer): Query | BadQuery {
  if (packet.length < HEADER_BYTES) return { rcode: undefined };
  const flags = packet.readUInt16BE(2);
  if ((flags & FLAG.response) !== 0) return { rcode: undefined };
  if ((flags & FLAG.opcode) !== 0) return { rcode: RCODE.notImplemented };
  if (packet.readUInt16BE(4) !== 1) return { rcode: RCODE.formatError };
  const nameEnd = endOfName(packet, HEADER_BYTES);
  const questionEnd = nameEnd + 4;
  if (nameEnd === -1 || questionEnd > packet.length) return { rcode: RCODE.formatError };
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  const opt = findOpt(packet, questionEnd, records);
  if (opt === -1) return { rcode: RCODE.formatError };
  return {
    id: packet.readUInt16BE(0),
    name: nameText(packet, HEADER_BYTES, nameEnd),
    type: packet.readUInt16BE(nameEnd),
    class: packet.readUInt16BE(nameEnd + 2),
    questionEnd,
    udpBytes: opt === undefined ? PLAIN_UDP_BYTES : clampUdpBytes(packet.readUInt16BE(opt + 2)),
    edns: opt === undefined ? undefined : { dnssecOk: (packet.readUInt16BE(opt + 6) & DNSSEC_OK) !== 0 },
    badVersion: opt !== undefined && packet[opt + 5] !== 0,
  };
}

function clampUdpBytes(bytes: number): number {
  return Math.min(Math.max(bytes, PLAIN_UDP_BYTES), MAX_UDP_BYTES);
}

/** Answers with a failure alone, as far as the query could be read. */
export function writeBadQuery(out: Buffer, packet: Buffer, rcode: Rcode): number {
  out.fill(0, 0, HEADER_BYTES);
  packet.copy(out, 0, 0, 2);
  const kept = packet.readUInt16BE(2) & (FLAG.opcode | FLAG.recursionDesired);
  out.writeUInt16BE(FLAG.response | kept | RECURSION_AVAILABLE | rcode, 2);
  return HEADER_BYTES;
}

/** Writes header and question of an answer; the counts of records follow with {@link finish}. */
function begin(out: Buffer, packet: Buffer, query: Query, rcode: number): number {
  packet.copy(out, 0, 0, query.questionEnd);
  const kept = packet.readUInt16BE(2) & (FLAG.recursionDesired | FLAG.checkingDisabled);
  out.writeUInt16BE(FLAG.response | kept | RECURSION_AVAILABLE | rcode, 2);
  return query.questionEnd;
}

function finish(out: Buffer, end: number, query: Query, answers: number, truncated: boolean): number {
  if (truncated) out.writeUInt16BE(out.readUInt16BE(2) | FLAG.truncated, 2);
  out.writeUInt16BE(answers, 6);
  out.writeUInt16BE(0, 8);
  out.writeUInt16BE(query.edns === undefined ? 0 : 1, 10);
  if (query.edns === undefined) return end;
  out[end] = 0;
  out.writeUInt16BE(TYPE.OPT, end + 1);
  out.writeUInt16BE(MAX_UDP_BYTES, end + 3);
  out[end + 5] = query.badVersion ? BAD_VERSION : 0;
  out[end + 6] = 0;
  out.writeUInt16BE(query.edns.dnssecOk ? DNSSEC_OK : 0, end + 7);
  out.writeUInt16BE(0, end + 9);
  return end + OPT_BYTES;
}

/** A record that belongs to the question's name; its data follows. */
function writeRecordHeader(out: Buffer, at: number, type: number, dataBytes: number): void {
  out.writeUInt16BE(0xc000 | HEADER_BYTES, at);
  out.writeUInt16BE(type, at + 2);
  out.writeUInt16BE(CLASS.IN, at + 4);
  out.writeUInt32BE(TTL_SECONDS, at + 6);
  out.writeUInt16BE(dataBytes, at + 10);
}

/** An answer without records. Answers how long it is. */
export function writeStatus(out: Buffer, packet: Buffer, query: Query, rcode: Rcode): number {
  const end = begin(out, packet, query, query.badVersion ? RCODE.noError : rcode);
  return finish(out, end, query, 0, false);
}

/** Addresses, as many as fit in `maxBytes`, with the bit that tells of the missing ones. Answers how long it is. */
export function writeAddresses(
  out: Buffer,
  packet: Buffer,
  query: Query,
  addresses: readonly number[],
  maxBytes: number,
): number {
  let at = begin(out, packet, query, RCODE.noError);
  const room = maxBytes - at - (query.edns === undefined ? 0 : OPT_BYTES);
  const count = Math.min(addresses.length, Math.floor(room / (RECORD_HEADER_BYTES + 4)));
  for (let index = 0; index < count; index++) {
    writeRecordHeader(out, at, TYPE.A, 4);
    out.writeUInt32BE(addresses[index] ?? 0, at + RECORD_HEADER_BYTES);
    at += RECORD_HEADER_BYTES + 4;
  }
  return finish(out, at, query, count, count < addresses.length);
}

/** The bytes of a name, or undefined for one that DNS has no room for. */
export function encodeName(name: string): Buffer | undefined {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  if (labels.some(({ length }) => length === 0 || length > MAX_LABEL_BYTES)) return undefined;
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.alloc(1)]);
  return bytes.length > MAX_NAME_BYTES ? undefined : bytes;
}

/** The name that an address leads to. Answers how long it is. */
export function writePointer(out: Buffer, packet: Buffer, query: Query, name: string): number {
  const bytes = encodeName(name);
  if (bytes === undefined) return writeStatus(out, packet, query, RCODE.noError);
  const at = begin(out, packet, query, RCODE.noError);
  writeRecordHeader(out, at, TYPE.PTR, bytes.length);
  out.set(bytes, at + RECORD_HEADER_BYTES);
  return finish(out, at + RECORD_HEADER_BYTES + bytes.length, query, 1, false);
}

/** An answer that is too long for the client's datagrams: it may ask again over TCP. */
export function writeTruncated(out: Buffer, packet: Buffer, query: Query, reply: Buffer): number {
  const end = begin(out, packet, query, (reply[3] ?? 0) & 0x0f);
  return finish(out, end, query, 0, true);
}

export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & FLAG.truncated) !== 0;
}

export function rcodeOf(reply: Buffer): number {
  return (reply[3] ?? 0) & 0x0f;
}

/** The letters of names are alike in either case; no length of a label looks like a letter. */
function sameQuestion(query: Buffer, reply: Buffer, end: number): boolean {
  const nameEnd = end - 4;
  if (query.compare(reply, nameEnd, end, nameEnd, end) !== 0) return false;
  for (let at = HEADER_BYTES; at < nameEnd; at++) {
    const [one = 0, other = 0] = [query[at], reply[at]];
    if (one === other) continue;
    const letter = one | 0x20;
    if (letter !== (other | 0x20) || letter < 0x61 || letter > 0x7a) return false;
  }
  return true;
}

/** Whether a message answers what was asked. `query` carries the ID that it was sent with. */
export function answers(query: Buffer, questionEnd: number, reply: Buffer): boolean {
  if (reply.length < HEADER_BYTES || reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  const flags = reply.readUInt16BE(2);
  if ((flags & FLAG.response) === 0 || (flags & FLAG.opcode) !== 0) return false;
  const questions = reply.readUInt16BE(4);
  // Some servers leave the question out of a refusal.
  if (questions === 0) return rcodeOf(reply) !== RCODE.noError && rcodeOf(reply) !== RCODE.nameError;
  return questions === 1 && reply.length >= questionEnd && sameQuestion(query, reply, questionEnd);
}
