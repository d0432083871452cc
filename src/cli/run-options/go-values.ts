import { isIP } from 'node:net';
import { FlagValueError } from '../framework/errors.ts';

/** Splits at the first separator, as Go's `strings.Cut`. */
export function cut(text: string, separator: string): [before: string, after: string, found: boolean] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, '', false] : [text.slice(0, at), text.slice(at + separator.length), true];
}

/** Go's `%q` for what people type on a command line. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

const int64Max = 2n ** 63n - 1n;

/**
 * Go's `strconv.ParseInt(text, 10, bits)` without its message.
 *
 * @returns The number, or why not: `invalid syntax` or `value out of range`.
 */
export function parseDecimal(
  text: string,
  bits: 16 | 64,
  signed: boolean,
): number | 'invalid syntax' | 'value out of range' {
  if (!(signed ? /^[+-]?\d+$/ : /^\d+$/).test(text)) return 'invalid syntax';
  const value = BigInt(text.replace('+', ''));
  const max = bits === 16 ? (signed ? 32767n : 65535n) : signed ? int64Max : 2n ** 64n - 1n;
  if (value > max || (signed && value < -max - 1n)) return 'value out of range';
  return Number(value);
}

/** {@link parseDecimal} failing with Go's words. */
export function requireDecimal(text: string, bits: 16 | 64, signed: boolean): number {
  const value = parseDecimal(text, bits, signed);
  if (typeof value === 'number') return value;
  throw new FlagValueError(`strconv.${signed ? 'ParseInt' : 'ParseUint'}: parsing ${quote(text)}: ${value}`);
}

/** Whether Go's `net.ParseIP` takes it: no zones, no brackets. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** An address as Go prints it: shortest IPv6 form, IPv4 for mapped ones. Undefined if it is none. */
export function canonicalIp(text: string): string | undefined {
  if (!isIpAddress(text)) return undefined;
  if (isIP(text) === 4) return text;
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(host);
  if (!mapped) return host;
  const [high, low] = [mapped[1], mapped[2]].map((part) => Number.parseInt(part ?? '0', 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Whether Go's `net.ParseMAC` takes it: 6, 8 or 20 bytes in one of its three notations. */
export function isMacAddress(text: string): boolean {
  const plain = /^[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2})*$/i;
  if (plain.test(text)) return [17, 23, 59].includes(text.length);
  return /^[\da-f]{4}(?:\.[\da-f]{4})+$/i.test(text) && [14, 19, 49].includes(text.length);
}

/** A file's trouble as Go words it: `open FILE: no such file or directory`. */
export function goFileError(operation: string, path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
    EEXIST: 'file exists',
    ENOSPC: 'no space left on device',
    EROFS: 'read-only file system',
  };
  const why = words[code] ?? (error instanceof Error ? error.message : String(error));
  return `${code === 'EISDIR' && operation === 'open' ? 'read' : operation} ${path}: ${why}`;
}
