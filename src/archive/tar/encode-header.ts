import { EngineError } from '#errors';
import { BLOCK_BYTES, completeHeader, type TarEntryType, type TarHeader, type TarHeaderInit } from './header.ts';
import { formatPaxTime } from './numeric.ts';
import { formatPaxRecord } from './pax.ts';
import { encodeText } from './text.ts';

const TYPE_FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/**
 * The header blocks of an entry: ustar, preceded by a PAX header when something does not fit there
 * (long names, ids over 2097151, sizes of 8 GiB and more, fractions of seconds, xattrs).
 *
 * The same header always gives the same bytes.
 */
export function encodeHeader(init: TarHeaderInit): Buffer {
  const header = completeHeader(init);
  const pax = new Map<string, Buffer>();
  const name = encodeText(header.type === 'directory' && !header.name.endsWith('/') ? `${header.name}/` : header.name);
  const linkName = encodeText(header.linkName);
  const split = splitName(name);
  if (!split) pax.set('path', name);
  if (linkName.length > 100) pax.set('linkpath', linkName);
  collectNumbers(header, pax);
  for (const key of ['uname', 'gname'] as const) {
    if (Buffer.byteLength(header[key]) > 31) pax.set(key, encodeText(header[key]));
  }
  for (const [key, value] of header.xattrs) pax.set(`SCHILY.xattr.${key}`, value);
  const block = encodeBlock(header, split ?? { name: name.subarray(0, 100), prefix: EMPTY }, linkName.subarray(0, 100));
  return pax.size === 0 ? block : Buffer.concat([...encodePax(pax, name), block]);
}

/** Zeros to add after `bytes` of content. */
export function paddingAfter(bytes: number): Buffer {
  return PADDING.subarray(0, (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** What closes an archive. */
export function endOfArchive(): Buffer {
  return Buffer.alloc(2 * BLOCK_BYTES);
}

const EMPTY = Buffer.alloc(0);
const PADDING = Buffer.alloc(BLOCK_BYTES);

function collectNumbers(header: TarHeader, pax: Map<string, Buffer>): void {
  const { sizeBytes, uid, gid, mtimeNs, deviceMajor, deviceMinor } = header;
  if (sizeBytes > MAX_OCTAL_11) pax.set('size', Buffer.from(String(sizeBytes)));
  if (uid > MAX_OCTAL_7) pax.set('uid', Buffer.from(String(uid)));
  if (gid > MAX_OCTAL_7) pax.set('gid', Buffer.from(String(gid)));
  if (mtimeNs < 0n || mtimeNs % 1_000_000_000n !== 0n || mtimeNs / 1_000_000_000n > BigInt(MAX_OCTAL_11)) {
    pax.set('mtime', Buffer.from(formatPaxTime(mtimeNs)));
  }
  if (Math.min(uid, gid, sizeBytes) < 0 || Math.max(deviceMajor, deviceMinor) > MAX_OCTAL_7) {
    throw new EngineError('invalidArgument', 'ARCHIVE_HEADER', `${header.name} cannot be described in a tar archive`);
  }
}

/** ustar's two name fields; undefined when the name fits neither whole nor cut at a slash. */
function splitName(name: Buffer): { name: Buffer; prefix: Buffer } | undefined {
  if (name.length <= 100) return { name, prefix: EMPTY };
  if (name.length > 256) return undefined;
  const last = name.at(-1) === 0x2f ? name.length - 2 : name.length - 1;
  const slash = name.subarray(0, Math.min(last, 156)).lastIndexOf(0x2f);
  if (slash <= 0 || name.length - slash - 1 > 100) return undefined;
  return { name: name.subarray(slash + 1), prefix: name.subarray(0, slash) };
}

function encodePax(records: Map<string, Buffer>, name: Buffer): Buffer[] {
  const body = Buffer.concat(
    [...records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => formatPaxRecord(k, v)),
  );
  const trimmed = name.at(-1) === 0x2f ? name.subarray(0, -1) : name;
  const base = trimmed.subarray(trimmed.lastIndexOf(0x2f) + 1).subarray(0, 100 - PAX_PREFIX.length);
  const header = { ...completeHeader({ name: '' }), sizeBytes: body.length };
  const block = encodeBlock(header, { name: Buffer.concat([PAX_PREFIX, base]), prefix: EMPTY }, EMPTY, 'x');
  return [block, body, paddingAfter(body.length)];
}

const PAX_PREFIX = Buffer.from('PaxHeaders.0/');

function encodeBlock(
  header: TarHeader,
  { name, prefix }: { name: Buffer; prefix: Buffer },
  linkName: Buffer,
  typeFlag: string = TYPE_FLAGS[header.type],
): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const seconds = header.mtimeNs < 0n ? 0 : Number(header.mtimeNs / 1_000_000_000n);
  name.copy(block, 0);
  writeOctal(block, 100, 7, header.mode & 0o7777);
  writeOctal(block, 108, 7, header.uid > MAX_OCTAL_7 ? 0 : header.uid);
  writeOctal(block, 116, 7, header.gid > MAX_OCTAL_7 ? 0 : header.gid);
  writeOctal(block, 124, 11, header.sizeBytes > MAX_OCTAL_11 ? 0 : header.sizeBytes);
  writeOctal(block, 136, 11, seconds > MAX_OCTAL_11 ? 0 : seconds);
  block.write(typeFlag, 156, 'latin1');
  linkName.copy(block, 157);
  block.write('ustar\0' + '00', 257, 'latin1');
  encodeText(header.uname).copy(block, 265, 0, 31);
  encodeText(header.gname).copy(block, 297, 0, 31);
  writeOctal(block, 329, 7, header.deviceMajor);
  writeOctal(block, 337, 7, header.deviceMinor);
  prefix.copy(block, 345);
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  writeOctal(block, 148, 6, sum);
  block[155] = 0x20;
  return block;
}

function writeOctal(block: Buffer, offset: number, digits: number, value: number): void {
  let rest = value;
  for (let i = offset + digits - 1; i >= offset; i--) {
    block[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
