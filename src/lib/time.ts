/** Go's zero time, which Docker's API sends for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const originNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/**
 * The time now in nanoseconds since the epoch, strictly from the monotonic clock after start-up's reading of the
 * wall clock, re-anchored when the two drift apart by over 50 ms (the clock was set).
 */
export function nowNano(): bigint {
  const wall = BigInt(Date.now()) * 1_000_000n;
  const precise = originNs + process.hrtime.bigint();
  const drift = wall > precise ? wall - precise : precise - wall;
  return drift > 50_000_000n ? wall : precise;
}

/** RFC 3339 in UTC with nanoseconds and no trailing zeros, as Go prints it (`2024-05-01T10:00:00.123456789Z`). */
export function formatRfc3339Nano(nano: bigint): string {
  const ms = nano / 1_000_000n;
  const seconds = new Date(Number(ms)).toISOString().slice(0, 19);
  const fraction = (((nano % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n).toString().padStart(9, '0');
  const trimmed = fraction.replace(/0+$/, '');
  return trimmed === '' ? `${seconds}Z` : `${seconds}.${trimmed}Z`;
}

/** The reverse of {@link formatRfc3339Nano}; any offset is accepted. Undefined if `text` is no RFC 3339 time. */
export function parseRfc3339Nano(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, base = '', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${base.replace(' ', 'T')}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
