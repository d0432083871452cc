import { FlagValueError } from '../framework/errors.ts';
import { quote } from './go-values.ts';

const powers: Record<string, number> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes from `64m`, `1.5 GiB`, `10kb`: always binary multiples, case of no matter.
 *
 * @throws {@link FlagValueError} with the words Docker uses.
 */
export function parseRamBytes(text: string): number {
  const last = text.search(/[\d. ][^\d. ]*$/);
  if (last < 0) throw new FlagValueError(`invalid size: '${text}'`);
  const number = text.slice(0, text[last] === ' ' ? last : last + 1);
  const suffix = text.slice(last + 1);
  const size = parseGoFloat(number);
  if (size < 0) throw new FlagValueError(`invalid size: '${text}'`);
  return Math.trunc(size * suffixFactor(suffix));
}

/** As {@link parseRamBytes}, and `-1` for no limit. */
export function parseSwapBytes(text: string): number {
  return text === '-1' ? -1 : parseRamBytes(text);
}

function parseGoFloat(text: string): number {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) {
    throw new FlagValueError(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
  }
  return Number(text);
}

function suffixFactor(suffix: string): number {
  if (suffix === '') return 1;
  // Docker shows an overlong suffix as typed and any other in lower case.
  if (Buffer.byteLength(suffix) > 3) throw new FlagValueError(`invalid suffix: '${suffix}'`);
  const lower = suffix.toLowerCase();
  if (lower === 'b') return 1;
  const power = powers[lower.charAt(0)];
  if (power === undefined || !['', 'b', 'ib'].includes(lower.slice(1))) {
    throw new FlagValueError(`invalid suffix: '${lower}'`);
  }
  return 1024 ** power;
}
