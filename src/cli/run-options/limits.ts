import type { ThrottleDevice, Ulimit, WeightDevice } from '#spec';
import { FlagValueError } from '../framework/errors.ts';
import { cut, parseDecimal, requireDecimal } from './go-values.ts';
import { parseRamBytes } from './size.ts';

/**
 * Billionths of a CPU from a decimal or a fraction (`1.5`, `3/4`, `2e-1`), computed exactly.
 *
 * @throws {@link FlagValueError} when it is no number, or finer than a billionth.
 */
export function parseCpus(text: string): number {
  const nano = rational(text);
  if (nano === undefined) throw new FlagValueError(`failed to parse ${text} as a rational number`);
  const [numerator, denominator] = nano;
  const scaled = numerator * 1_000_000_000n;
  if (scaled % denominator !== 0n) throw new FlagValueError('value is too precise');
  return Number(scaled / denominator);
}

function rational(text: string): [bigint, bigint] | undefined {
  const fraction = /^([+-]?\d+)\/(\d+)$/.exec(text);
  if (fraction) {
    const denominator = BigInt(fraction[2] ?? '1');
    return denominator === 0n ? undefined : [BigInt((fraction[1] ?? '').replace('+', '')), denominator];
  }
  const decimal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (!decimal) return undefined;
  const [, sign, whole = '', part = '', exponent = '0'] = decimal;
  if (whole + part === '') return undefined;
  const shift = Number(exponent) - part.length;
  const digits = BigInt(whole + part) * (sign === '-' ? -1n : 1n);
  return shift >= 0 ? [digits * 10n ** BigInt(shift), 1n] : [digits, 10n ** BigInt(-shift)];
}

const ulimitNames = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/** `name=soft[:hard]`; -1 is no limit. */
export function parseUlimit(text: string): Ulimit {
  const [name, limits, found] = cut(text, '=');
  if (!found) throw new FlagValueError(`invalid ulimit argument: ${text}`);
  if (!ulimitNames.has(name)) throw new FlagValueError(`invalid ulimit type: ${name}`);
  const parts = limits.split(':');
  if (parts.length > 2) {
    const words = `too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``;
    throw new FlagValueError(words);
  }
  const given = parts[1] === undefined ? undefined : requireDecimal(parts[1], 64, true);
  const soft = requireDecimal(parts[0] ?? '', 64, true);
  const hard = given ?? soft;
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    const values = soft === -1 ? `soft: -1 (unlimited), hard: ${hard}` : `${soft} > ${hard}`;
    throw new FlagValueError(`ulimit soft limit must be less than or equal to hard limit: ${values}`);
  }
  return { Name: name, Soft: soft, Hard: hard };
}

/** Ulimits replace each other by name and go out sorted. */
export function addUlimit(text: string, previous: readonly Ulimit[]): readonly Ulimit[] {
  const limit = parseUlimit(text);
  return [...previous.filter(({ Name }) => Name !== limit.Name), limit].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

function splitDevice(text: string): [path: string, value: string] {
  const [path, value, found] = cut(text, ':');
  if (!found || path === '') throw new FlagValueError(`bad format: ${text}`);
  if (!path.startsWith('/dev/')) throw new FlagValueError(`bad format for device path: ${text}`);
  return [path, value];
}

/** `/dev/sda:1mb`, bytes per second. */
export function parseBpsDevice(text: string): ThrottleDevice {
  const [path, value] = splitDevice(text);
  try {
    return { Path: path, Rate: parseRamBytes(value) };
  } catch {
    const shape =
      '<device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb';
    throw new FlagValueError(`invalid rate for device: ${text}. The correct format is ${shape}`);
  }
}

/** `/dev/sda:1000`, operations per second. */
export function parseIopsDevice(text: string): ThrottleDevice {
  const [path, value] = splitDevice(text);
  const rate = parseDecimal(value, 64, false);
  if (typeof rate === 'number') return { Path: path, Rate: rate };
  const shape = '<device-path>:<number>. Number must be a positive integer';
  throw new FlagValueError(`invalid rate for device: ${text}. The correct format is ${shape}`);
}

/** `/dev/sda:500`; 0 or 10 to 1000. */
export function parseWeightDevice(text: string): WeightDevice {
  const [path, value] = splitDevice(text);
  const weight = parseDecimal(value, 16, false);
  if (typeof weight !== 'number' || weight > 1000 || (weight > 0 && weight < 10)) {
    throw new FlagValueError(`invalid weight for device: ${text}`);
  }
  return { Path: path, Weight: weight };
}
