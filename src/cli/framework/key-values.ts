import { CliError } from './errors.ts';

/** `a=1`, `b` as an object, where a name alone means the empty string. */
export function keyValues(items: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    items.map((item) => {
      const cut = item.indexOf('=');
      return cut < 0 ? [item, ''] : [item.slice(0, cut), item.slice(cut + 1)];
    }),
  );
}

/** The same for options that need a value. @throws CliError */
export function optionPairs(items: readonly string[], complaint: string): Record<string, string> {
  const bad = items.find((item) => !/^[^=]+=/.test(item));
  if (bad !== undefined) throw new CliError(complaint);
  return keyValues(items);
}
