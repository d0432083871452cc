import { GoFloat, GoMap, GoRow, type GoValue, sortedKeys, typeName } from './values.ts';
import { quote } from '#lib';

/** What `{{value}}` prints. */
export function printValue(value: GoValue): string {
  if (value === undefined) return '<no value>';
  return formatPlain(value, false);
}

/** Go's `%v`; with `named`, `%+v`. */
export function formatPlain(value: GoValue, named: boolean): string {
  if (value === null || value === undefined) return '<nil>';
  if (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    typeof value === 'number' ||
    typeof value === 'bigint'
  ) {
    return String(value);
  }
  if (value instanceof GoFloat) return formatFloat(value.value, 'g');
  if (value instanceof GoRow)
    return `{${Object.values(value.columns)
      .map((column) => formatPlain(column(), named))
      .join(' ')}}`;
  if (value instanceof GoMap) {
    if (value.structName === undefined) {
      return `map[${sortedKeys(value)
        .map((key) => `${key}:${formatPlain(value.entries.get(key), named)}`)
        .join(' ')}]`;
    }
    const fields = [...value.entries].map(([name, field]) => (named ? `${name}:` : '') + formatPlain(field, named));
    return `{${fields.join(' ')}}`;
  }
  return `[${value.map((item) => formatPlain(item, named)).join(' ')}]`;
}

/** Go's `%e`, `%f`, `%g`; without a precision, the shortest text that reads back the same. */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision?: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const exponent = value === 0 ? 0 : Number(value.toExponential().split('e')[1]);
  if (verb === 'f') return value.toFixed(precision ?? 6);
  if (verb === 'e') return goExponent(value.toExponential(precision ?? 6));
  const limit = precision ?? 21;
  if (exponent < -4 || exponent >= limit) {
    return goExponent(
      precision === undefined ? value.toExponential() : value.toExponential(Math.max(0, precision - 1)),
    );
  }
  if (precision !== undefined) return String(Number(value.toPrecision(Math.max(1, precision))));
  return Math.abs(value) >= 1e21 || (value !== 0 && Math.abs(value) < 1e-6)
    ? value.toFixed(20).replace(/0+$/, '')
    : String(value);
}

/** `1e+21` with at least two digits in the exponent. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

const directive = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(.)?/gsu;

/** Go's `fmt.Sprintf` for the verbs templates use, with its marks for wrong verbs and numbers of arguments. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  let used = 0;
  const take = (): GoValue => args[used++];
  const text = format.replace(
    directive,
    (all: string, flags = '', width?: string, precision?: string, verb?: string) => {
      if (verb === undefined) return '%!(NOVERB)';
      if (verb === '%') return '%';
      const columns = width === '*' ? Number(take()) : Number(width ?? 0);
      const digits = precision === '*' ? Number(take()) : precision === undefined ? undefined : Number(precision);
      if (used >= args.length) return `%!${verb}(MISSING)`;
      const hasPoint = all.includes('.');
      return pad(formatVerb(verb, flags, hasPoint ? (digits ?? 0) : undefined, take()), flags, columns, verb);
    },
  );
  if (used >= args.length) return text;
  const extra = args.slice(used).map((arg) => `${typeName(arg)}=${formatPlain(arg, false)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(text: string, flags: string, columns: number, verb: string): string {
  const missing = columns - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || verb === 'v') return ' '.repeat(missing) + text;
  const sign = /^[+-]/.test(text) ? text.charAt(0) : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function formatVerb(verb: string, flags: string, precision: number | undefined, value: GoValue): string {
  if (verb === 'v') return flags.includes('#') ? goSyntax(value) : formatPlain(value, flags.includes('+'));
  if (verb === 'T') return value === null || value === undefined ? '<nil>' : typeName(value);
  if (Array.isArray(value))
    return `[${value.map((item: GoValue) => formatVerb(verb, flags, precision, item)).join(' ')}]`;
  if (value instanceof GoMap && value.structName === undefined) {
    const pairs = sortedKeys(value).map(
      (key) =>
        `${formatVerb(verb, flags, precision, key)}:${formatVerb(verb, flags, precision, value.entries.get(key))}`,
    );
    return `map[${pairs.join(' ')}]`;
  }
  const formatted = formatScalar(verb, flags, precision, value);
  if (formatted !== undefined) return formatted;
  if (value === null || value === undefined) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${formatPlain(value, false)})`;
}

function formatScalar(verb: string, flags: string, precision: number | undefined, value: GoValue): string | undefined {
  if (typeof value === 'string') return formatString(verb, flags, precision, value);
  if (typeof value === 'boolean') return verb === 't' ? String(value) : undefined;
  if (typeof value === 'number' || typeof value === 'bigint') return formatInteger(verb, flags, BigInt(value));
  if (!(value instanceof GoFloat)) return undefined;
  const sign = flags.includes('+') && value.value >= 0 ? '+' : '';
  const kind = verb.toLowerCase();
  if (kind !== 'e' && kind !== 'f' && kind !== 'g') return undefined;
  const text = sign + formatFloat(value.value, kind, precision);
  return verb === kind ? text : text.toUpperCase();
}

function formatString(verb: string, flags: string, precision: number | undefined, value: string): string | undefined {
  const text = precision === undefined ? value : [...value].slice(0, precision).join('');
  if (verb === 's') return text;
  if (verb === 'q') return flags.includes('#') && !text.includes('`') ? `\`${text}\`` : quote(text);
  if (verb === 'x') return Buffer.from(text).toString('hex');
  if (verb === 'X') return Buffer.from(text).toString('hex').toUpperCase();
  return undefined;
}

const bases: Readonly<Record<string, readonly [number, string]>> = {
  d: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInteger(verb: string, flags: string, value: bigint): string | undefined {
  if (verb === 'c') return String.fromCodePoint(Number(value));
  if (verb === 'q') return `'${String.fromCodePoint(Number(value))}'`;
  if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  const base = bases[verb];
  if (!base) return undefined;
  const digits = (value < 0n ? -value : value).toString(base[0]);
  const prefix = verb === 'O' || flags.includes('#') ? base[1] : '';
  const sign = value < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  return sign + prefix + (verb === 'X' ? digits.toUpperCase() : digits);
}

function goSyntax(value: GoValue): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `${typeName(value)}{${value.map(goSyntax).join(', ')}}`;
  if (value instanceof GoMap) {
    const named = value.structName !== undefined;
    const keys = named ? [...value.entries.keys()] : sortedKeys(value);
    const members = keys.map((key) => `${named ? key : quote(key)}:${goSyntax(value.entries.get(key))}`);
    return `${typeName(value)}{${members.join(', ')}}`;
  }
  return formatPlain(value, false);
}

/** Go's `fmt.Sprint`: spaces between operands when neither is a string. */
export function sprint(args: readonly GoValue[]): string {
  let out = '';
  for (const [index, arg] of args.entries()) {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') out += ' ';
    out += formatPlain(arg, false);
  }
  return out;
}
