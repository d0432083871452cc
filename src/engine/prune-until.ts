import { EngineError } from '#errors';
import { nowNano, parseRfc3339Nano } from '#lib';

const unitNano: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/**
 * A point in time as prune's `until` takes it: a Go duration before now (`24h`, `1h30m`), a date, RFC 3339, or Unix
 * seconds. Nanoseconds since the epoch.
 *
 * @throws invalidArgument when it is none of these.
 */
export function parseUntil(text: string): bigint {
  const duration = parseGoDuration(text);
  if (duration !== undefined) return nowNano() - duration;
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds) return BigInt(seconds[1] ?? 0) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'));
  const exact = parseRfc3339Nano(text);
  if (exact !== undefined) return exact;
  const local = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(local)) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_FILTER',
      `invalid filter 'until=${text}': failed to parse value as time or duration`,
    );
  }
  return BigInt(local) * 1_000_000n;
}

function parseGoDuration(text: string): bigint | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0n;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    const [whole = '0', fraction = ''] = amount.split('.');
    const scale = unitNano[unit] ?? 0n;
    total += BigInt(whole) * scale + (BigInt(fraction.padEnd(9, '0').slice(0, 9)) * scale) / 1_000_000_000n;
  }
  return total;
}
