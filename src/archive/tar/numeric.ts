import { invalidArchive } from '../errors.ts';

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/**
 * Reads a number field: octal text, or GNU's base-256 (first bit set, two's complement).
 *
 * Blank fields are 0.
 *
 * @throws {@link EngineError} invalidArgument for anything else, and for numbers beyond 2^53.
 */
export function readNumber(block: Buffer, offset: number, length: number, field: string): number {
  if ((block[offset] ?? 0) >= 0x80) return readBase256(block, offset, length, field);
  let i = offset;
  const end = offset + length;
  while (i < end && (block[i] === SPACE || block[i] === 0)) i++;
  let value = 0;
  for (; i < end; i++) {
    const byte = block[i] ?? 0;
    if (byte === SPACE || byte === 0) break;
    if (byte < ZERO || byte > SEVEN) throw invalidArchive(`the ${field} field is not a number`);
    value = value * 8 + (byte - ZERO);
  }
  return checkedInteger(value, field);
}

function readBase256(block: Buffer, offset: number, length: number, field: string): number {
  const first = block[offset] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(negative ? first - 0x100 : first & 0x7f);
  for (let i = 1; i < length; i++) value = value * 256n + BigInt(block[offset + i] ?? 0);
  return checkedInteger(Number(value), field);
}

/** Parses a decimal PAX number. */
export function readDecimal(text: string, field: string): number {
  if (!/^-?\d{1,20}$/.test(text)) throw invalidArchive(`the ${field} field is not a number`);
  return checkedInteger(Number(text), field);
}

/** Parses PAX's `seconds[.fraction]` to nanoseconds; digits beyond the ninth are dropped. */
export function readPaxTime(text: string, field: string): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text);
  if (!match) throw invalidArchive(`the ${field} field is not a time`);
  const nanos = BigInt(match[2] ?? '0') * 1_000_000_000n + BigInt((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  return match[1] === '-' ? -nanos : nanos;
}

/** PAX's text for a time: no more digits than needed. */
export function formatPaxTime(timeNs: bigint): string {
  const negative = timeNs < 0n;
  const absolute = negative ? -timeNs : timeNs;
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const seconds = (absolute / 1_000_000_000n).toString();
  return `${negative ? '-' : ''}${seconds}${fraction === '' ? '' : `.${fraction}`}`;
}

function checkedInteger(value: number, field: string): number {
  if (!Number.isSafeInteger(value)) throw invalidArchive(`the ${field} field is out of range`);
  return value;
}
