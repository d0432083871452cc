import { FlagValueError } from './errors.ts';

const truths = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const lies = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** Go's `strconv.ParseBool`. */
export function parseBool(text: string): boolean {
  if (truths.has(text)) return true;
  if (lies.has(text)) return false;
  throw new FlagValueError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Go's `strconv.ParseInt(text, 0, 64)` (or `ParseUint`) with its messages: decimal, `0x`, `0o`, `0b` and leading-zero octal. */
export function parseIntText(text: string, goFunction: 'ParseInt' | 'ParseUint' | 'Atoi'): number {
  const fail = (why: string): never => {
    throw new FlagValueError(`strconv.${goFunction}: parsing ${JSON.stringify(text)}: ${why}`);
  };
  const match = /^([+-]?)(0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|\d[\d_]*)$/.exec(text);
  if (!match) return fail('invalid syntax');
  const [, sign = '', digits = ''] = match;
  if (goFunction === 'ParseUint' && sign !== '') return fail('invalid syntax');
  const plain = digits.replaceAll('_', '');
  const magnitude = Number(/^0[0-7]+$/.test(plain) && goFunction !== 'Atoi' ? `0o${plain.slice(1)}` : plain);
  if (magnitude >= 2 ** 63) return fail('value out of range');
  return sign === '-' ? -magnitude : magnitude;
}

const unitNs: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's `time.ParseDuration`; nanoseconds. */
export function parseDurationNs(text: string): number {
  const quoted = JSON.stringify(text);
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  if (body === '') throw new FlagValueError(`time: invalid duration ${quoted}`);
  let rest = body;
  let total = 0;
  while (rest !== '') {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (!match) throw new FlagValueError(`time: invalid duration ${quoted}`);
    const [whole, amount = '', unit = ''] = match;
    if (unit === '') throw new FlagValueError(`time: missing unit in duration ${quoted}`);
    const scale = unitNs[unit];
    if (scale === undefined) {
      throw new FlagValueError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    total += Number(amount) * scale;
    rest = rest.slice(whole.length);
  }
  return Math.round(text.startsWith('-') ? -total : total);
}

const binaryScale: Record<string, number> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** Sizes as Docker takes them: `512m`, `1.5g`, `64kb`, `10MiB`, all binary; bytes. */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  if (!match) throw new FlagValueError(`invalid size: '${text}'`);
  const [, amount = '', unit = ''] = match;
  return Math.trunc(Number(amount) * 1024 ** (binaryScale[unit.toLowerCase()] ?? 0));
}
