import { nowNano, parseRfc3339Nano } from './time.ts';

const unixTime = /^(-?\d{1,19})(?:\.(\d*))?$/;
const durationForm = /^[+-]?(?:\d+(?:\.\d*)?(?:h|m|s|ms|us|µs|ns))+$/;
const durationPart = /(\d+)(?:\.(\d*))?(h|ms|m|s|us|µs|ns)/g;
const localTime = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9})\d*)?)?)?)?$/;

const unitNs: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1000n,
  µs: 1000n,
  ns: 1n,
};

function fractionNs(digits: string): bigint {
  return BigInt(digits.slice(0, 9).padEnd(9, '0'));
}

function parseUnix(text: string): bigint | undefined {
  const match = unixTime.exec(text);
  if (!match) return undefined;
  return BigInt(match[1] ?? '0') * 1_000_000_000n + fractionNs(match[2] ?? '');
}

/** Go's notation (`1h30m`, `1.5s`) in nanoseconds; undefined if `text` is none. */
export function parseGoDuration(text: string): bigint | undefined {
  if (!durationForm.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '0', fraction = '', unit = 's'] of text.matchAll(durationPart)) {
    const scale = unitNs[unit] ?? 1n;
    total += BigInt(whole) * scale + (fractionNs(fraction) * scale) / 1_000_000_000n;
  }
  return text.startsWith('-') ? -total : total;
}

function parseLocal(text: string): bigint | undefined {
  const match = localTime.exec(text);
  if (!match) return undefined;
  const [, day, hour = '00', minute = '00', second = '00', fraction = ''] = match;
  const ms = Date.parse(`${day}T${hour}:${minute}:${second}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + fractionNs(fraction);
}

/**
 * A point in time as Docker's `since` and `until` take it: Unix seconds with or without fraction, RFC 3339 (without zone:
 * local time), a date, or a Go duration back from now.
 *
 * @returns nanoseconds since the epoch; undefined if `text` is none of these.
 */
export function parseMoment(text: string): bigint | undefined {
  const ago = parseGoDuration(text);
  if (ago !== undefined) return nowNano() - ago;
  return parseUnix(text) ?? parseRfc3339Nano(text) ?? parseLocal(text);
}
