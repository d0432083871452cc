import { invalidArchive } from '../errors.ts';
import { BLOCK_BYTES } from './header.ts';
import { readNumber } from './numeric.ts';
import { decodeText } from './text.ts';

/** The fields of one header block, before extension headers are applied. */
export interface RawHeader {
  name: string;
  typeFlag: string;
  mode: number;
  uid: number;
  gid: number;
  uname: string;
  gname: string;
  sizeBytes: number;
  mtimeSeconds: number;
  linkName: string;
  deviceMajor: number;
  deviceMinor: number;
}

const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

export function isZeroBlock(block: Buffer, offset: number): boolean {
  for (let i = offset; i < offset + BLOCK_BYTES; i++) if (block[i] !== 0) return false;
  return true;
}

/**
 * Decodes a header block of any of the dialects: v7, ustar, GNU, star.
 *
 * @throws {@link EngineError} invalidArgument when the checksum or a number field is wrong.
 */
export function decodeHeader(block: Buffer, offset: number): RawHeader {
  verifyChecksum(block, offset);
  const dialect = detectDialect(block, offset);
  const ustar = dialect !== 'v7';
  const name = text(block, offset, 100);
  const prefixBytes = dialect === 'ustar' ? 155 : dialect === 'star' ? 131 : 0;
  const prefix = prefixBytes === 0 ? '' : text(block, offset + 345, prefixBytes);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    typeFlag: String.fromCharCode(block[offset + 156] ?? 0),
    mode: readNumber(block, offset + 100, 8, 'mode'),
    uid: readNumber(block, offset + 108, 8, 'uid'),
    gid: readNumber(block, offset + 116, 8, 'gid'),
    sizeBytes: readNumber(block, offset + 124, 12, 'size'),
    mtimeSeconds: readNumber(block, offset + 136, 12, 'mtime'),
    linkName: text(block, offset + 157, 100),
    uname: ustar ? text(block, offset + 265, 32) : '',
    gname: ustar ? text(block, offset + 297, 32) : '',
    deviceMajor: ustar ? readNumber(block, offset + 329, 8, 'device major') : 0,
    deviceMinor: ustar ? readNumber(block, offset + 337, 8, 'device minor') : 0,
  };
}

type Dialect = 'v7' | 'ustar' | 'gnu' | 'star';

function detectDialect(block: Buffer, offset: number): Dialect {
  const magic = block.toString('latin1', offset + 257, offset + 265);
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar')) return 'v7';
  return block.toString('latin1', offset + 508, offset + 512) === 'tar\0' ? 'star' : 'ustar';
}

/** The sum is over bytes; some old tars summed them as signed. The field itself counts as spaces. */
function verifyChecksum(block: Buffer, offset: number): void {
  const expected = readNumber(block, offset + CHECKSUM_AT, CHECKSUM_BYTES, 'checksum');
  let sum = 0x20 * CHECKSUM_BYTES;
  let high = 0;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i === CHECKSUM_AT) i += CHECKSUM_BYTES;
    const byte = block[offset + i] ?? 0;
    sum += byte;
    high += byte >> 7;
  }
  if (sum !== expected && sum - high * 256 !== expected) throw invalidArchive('wrong header checksum');
}

function text(block: Buffer, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end++;
  return end === offset ? '' : decodeText(block, offset, end);
}
