import { FlagValueError } from './errors.ts';
import { custom, type FlagOptions, type FlagSpec } from './flags.ts';

/** Values separated by commas; may be given again. */
export function commaList(
  description: string,
  options: FlagOptions<readonly string[]> = {},
): FlagSpec<readonly string[]> {
  const set = (text: string, previous: readonly string[]): readonly string[] => [...previous, ...text.split(',')];
  return custom(description, { ...options, initial: options.initial ?? [], type: 'strings', set });
}

/** `key=value` pairs, one a time; may be given again. */
export function mapFlag(
  description: string,
  options: FlagOptions<Readonly<Record<string, string>>> = {},
): FlagSpec<Readonly<Record<string, string>>> {
  const set = (text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const cut = text.indexOf('=');
    return cut < 0 ? { ...previous, [text]: '' } : { ...previous, [text.slice(0, cut)]: text.slice(cut + 1) };
  };
  return custom(description, { ...options, initial: {}, type: 'map', defaultText: 'map[]', set });
}

/** `key=value,key=value` pairs, all needing a value. */
export function pairsFlag(
  description: string,
  options: FlagOptions<Readonly<Record<string, string>>> = {},
): FlagSpec<Readonly<Record<string, string>> | undefined> {
  return custom<Readonly<Record<string, string>> | undefined>(description, {
    ...(options.short === undefined ? {} : { short: options.short }),
    initial: undefined,
    type: 'stringToString',
    defaultText: '[]',
    set: (text, previous) => {
      const pairs = text.split(',').map((pair) => {
        const cut = pair.indexOf('=');
        if (cut < 0) throw new FlagValueError(`${pair} must be formatted as key=value`);
        return [pair.slice(0, cut), pair.slice(cut + 1)] as const;
      });
      return { ...previous, ...Object.fromEntries(pairs) };
    },
  });
}
