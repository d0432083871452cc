import { FlagValueError } from './errors.ts';
import { parseBool, parseDurationNs, parseIntText, parseSizeBytes } from './values.ts';

/**
 * One flag of a command, keyed in {@link FlagSpecs} by its long name without dashes.
 *
 * `set` gets the text given and the value so far (`initial` at first) and returns the new value; it throws
 * {@link FlagValueError} when the text is no good.
 */
export interface FlagSpec<T> {
  /** One letter. */
  readonly short?: string;
  /** Shown after the name in help (`string`, `list`); empty for switches. */
  readonly type: string;
  readonly description: string;
  readonly initial: T;
  /** Shown as `(default …)`; strings are quoted already. */
  readonly defaultText?: string;
  /** The text to use when the flag stands alone (`--flag`); without it a value is required. */
  readonly alone?: string;
  readonly hidden?: boolean;
  /** Other long names for the same flag, never shown. */
  readonly aliases?: readonly string[];
  readonly set: (text: string, previous: T) => T;
}

/* oxlint-disable-next-line typescript/no-explicit-any -- a table of flags of every value type */
export type FlagSpecs = Readonly<Record<string, FlagSpec<any>>>;

/** The values of a table of flags. */
export type FlagValues<S extends FlagSpecs> = { readonly [K in keyof S]: S[K] extends FlagSpec<infer T> ? T : never };

export interface FlagOptions<T> {
  short?: string;
  initial?: T;
  type?: string;
  hidden?: boolean;
  aliases?: readonly string[];
  defaultText?: string;
}

function spec<T>(
  description: string,
  type: string,
  initial: T,
  set: FlagSpec<T>['set'],
  options: FlagOptions<T>,
  extra: Partial<FlagSpec<T>> = {},
): FlagSpec<T> {
  const { initial: _initial, ...rest } = options;
  return { type, description, initial, set, ...extra, ...rest };
}

/** A switch: `--x`, `--x=false`. */
export function bool(description: string, options: FlagOptions<boolean> = {}): FlagSpec<boolean> {
  const initial = options.initial ?? false;
  return spec(description, '', initial, parseBool, options, {
    alone: 'true',
    ...(initial ? { defaultText: 'true' } : {}),
  });
}

export function string(description: string, options: FlagOptions<string> = {}): FlagSpec<string> {
  const initial = options.initial ?? '';
  const shown = initial === '' ? {} : { defaultText: JSON.stringify(initial) };
  return spec(description, 'string', initial, (text) => text, options, shown);
}

/** May be given again and again; `check` validates and rewrites each value. */
export function list(
  description: string,
  options: FlagOptions<readonly string[]> & { check?: (text: string) => string } = {},
): FlagSpec<readonly string[]> {
  const { check, ...rest } = options;
  const set = (text: string, previous: readonly string[]): readonly string[] => [...previous, check?.(text) ?? text];
  return spec(description, 'list', options.initial ?? [], set, rest);
}

/** `--filter name=value`, collected as Docker's API takes it. */
export function filter(
  description = 'Filter output based on conditions provided',
  options: FlagOptions<Filters> = {},
): FlagSpec<Filters> {
  return spec(description, 'filter', options.initial ?? {}, addFilter, options);
}

export function int(description: string, options: FlagOptions<number> = {}): FlagSpec<number> {
  const initial = options.initial ?? 0;
  const shown = initial === 0 ? {} : { defaultText: String(initial) };
  return spec(description, 'int', initial, (text) => parseIntText(text, 'ParseInt'), options, shown);
}

/** As {@link int}, refusing negative values. */
export function uint(description: string, options: FlagOptions<number> = {}): FlagSpec<number> {
  const initial = options.initial ?? 0;
  const shown = initial === 0 ? {} : { defaultText: String(initial) };
  return spec(description, 'uint', initial, (text) => parseIntText(text, 'ParseUint'), options, shown);
}

/** A Go duration (`1m30s`); the value is nanoseconds. */
export function duration(description: string, options: FlagOptions<number> = {}): FlagSpec<number> {
  return spec(description, 'duration', options.initial ?? 0, parseDurationNs, options);
}

/** A size with binary suffixes (`512m`); the value is bytes. */
export function bytes(description: string, options: FlagOptions<number> = {}): FlagSpec<number> {
  return spec(description, 'bytes', options.initial ?? 0, parseSizeBytes, options);
}

/** Any other value; `set` sees the value so far, so it may accumulate. */
export function custom<T>(
  description: string,
  options: FlagOptions<T> & { initial: T; type: string; set: (text: string, previous: T) => T; alone?: string },
): FlagSpec<T> {
  const { set, alone, ...rest } = options;
  return spec(description, options.type, options.initial, set, rest, alone === undefined ? {} : { alone });
}

/** Filter names to the values asked for, as `?filters=` carries them (there as an object with `true` members). */
export type Filters = Readonly<Record<string, readonly string[]>>;

function addFilter(text: string, previous: Filters): Filters {
  if (text === '') return previous;
  const cut = text.indexOf('=');
  if (cut < 0) throw new FlagValueError('bad format of filter (expected name=value)');
  const name = text.slice(0, cut).trim().toLowerCase();
  const value = text.slice(cut + 1).trim();
  return { ...previous, [name]: [...(previous[name] ?? []), value] };
}
