import { invalidArchive } from '../errors.ts';
import { readDecimal, readPaxTime } from './numeric.ts';
import { decodeText } from './text.ts';

const SCHILY_XATTR = 'SCHILY.xattr.';
const LIBARCHIVE_XATTR = 'LIBARCHIVE.xattr.';

/** GNU's sparse description in PAX records; which fields are there depends on the version (0.0, 0.1, 1.0). */
export interface PaxSparse {
  major: number;
  minor: number;
  name?: string;
  realSizeBytes?: number;
  /** Alternating offsets and lengths (versions 0.0 and 0.1). */
  map?: number[];
}

/** The records of one or several PAX headers that mean something to us; an empty value takes a record back. */
export interface PaxRecords {
  path?: string | undefined;
  linkPath?: string | undefined;
  sizeBytes?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  uname?: string | undefined;
  gname?: string | undefined;
  mtimeNs?: bigint | undefined;
  xattrs?: Map<string, Buffer> | undefined;
  sparse?: PaxSparse | undefined;
}

/**
 * Parses the body of a PAX header into `into`.
 *
 * Values are kept as bytes where they are bytes: xattrs may hold anything, newlines and NULs included.
 *
 * @see POSIX.1-2017 pax, "pax Extended Header"
 */
export function parsePax(body: Buffer, into: PaxRecords): void {
  let at = 0;
  while (at < body.length) {
    let digit = at;
    let length = 0;
    while (digit < body.length && digit - at < 10 && isDigit(body[digit])) {
      length = length * 10 + (body[digit] ?? 0) - 0x30;
      digit++;
    }
    const end = at + length;
    const equals = body.indexOf(0x3d, digit);
    if (digit === at || body[digit] !== 0x20 || end > body.length || end <= digit) throw badRecord();
    if (body[end - 1] !== 0x0a || equals <= digit + 1 || equals >= end) throw badRecord();
    applyRecord(decodeText(body, digit + 1, equals), body, equals + 1, end - 1, into);
    at = end;
  }
}

function applyRecord(key: string, body: Buffer, start: number, end: number, into: PaxRecords): void {
  const text = (): string => nameValue(key, body, start, end);
  const empty = start === end;
  switch (key) {
    case 'path':
      into.path = empty ? undefined : text();
      return;
    case 'linkpath':
      into.linkPath = empty ? undefined : text();
      return;
    case 'uname':
      into.uname = empty ? undefined : text();
      return;
    case 'gname':
      into.gname = empty ? undefined : text();
      return;
    case 'size':
      into.sizeBytes = empty ? undefined : readDecimal(text(), key);
      return;
    case 'uid':
      into.uid = empty ? undefined : readDecimal(text(), key);
      return;
    case 'gid':
      into.gid = empty ? undefined : readDecimal(text(), key);
      return;
    case 'mtime':
      into.mtimeNs = empty ? undefined : readPaxTime(text(), key);
      return;
    default:
      if (key.startsWith(SCHILY_XATTR)) addXattr(into, key.slice(SCHILY_XATTR.length), copy(body, start, end));
      else if (key.startsWith(LIBARCHIVE_XATTR)) addLibarchiveXattr(into, key, body.toString('latin1', start, end));
      else if (key.startsWith('GNU.sparse.')) applySparse(key.slice('GNU.sparse.'.length), text(), into);
  }
}

function addXattr(into: PaxRecords, name: string, value: Buffer): void {
  if (name === '' || name.includes('\0')) throw badRecord();
  into.xattrs ??= new Map();
  into.xattrs.set(name, value);
}

/** libarchive writes the name percent-encoded and the value in base64; where SCHILY's record is there too, that one wins. */
function addLibarchiveXattr(into: PaxRecords, key: string, value: string): void {
  const encoded = key.slice(LIBARCHIVE_XATTR.length);
  const name = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (!into.xattrs?.has(name)) addXattr(into, name, Buffer.from(value, 'base64'));
}

function applySparse(key: string, value: string, into: PaxRecords): void {
  const sparse = (into.sparse ??= { major: 0, minor: 0 });
  switch (key) {
    case 'major':
      sparse.major = readDecimal(value, key);
      return;
    case 'minor':
      sparse.minor = readDecimal(value, key);
      return;
    case 'name':
      sparse.name = value;
      return;
    case 'size':
    case 'realsize':
      sparse.realSizeBytes = readDecimal(value, key);
      return;
    case 'offset':
    case 'numbytes':
      sparse.map ??= [];
      if (sparse.map.length % 2 !== (key === 'offset' ? 0 : 1)) throw invalidArchive('the sparse map is out of order');
      sparse.map.push(readDecimal(value, key));
      return;
    case 'map':
      sparse.map = value === '' ? [] : value.split(',').map((number) => readDecimal(number, key));
  }
}

/** Names end at a NUL for the kernel, so one inside would make two readers see two different names. */
function nameValue(key: string, body: Buffer, start: number, end: number): string {
  const nul = body.indexOf(0, start);
  if (nul !== -1 && nul < end) throw invalidArchive(`the PAX record ${key} contains a NUL`);
  return decodeText(body, start, end);
}

function copy(body: Buffer, start: number, end: number): Buffer {
  return Buffer.from(body.subarray(start, end));
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function badRecord(): Error {
  return invalidArchive('malformed PAX record');
}

/** One `length key=value\n` record; the length counts itself. */
export function formatPaxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
