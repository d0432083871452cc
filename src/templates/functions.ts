import { CallError } from './template-error.ts';
import { compare, equals } from './compare.ts';
import { formatGoJson } from './json.ts';
import { formatPlain, sprint, sprintf } from './print.ts';
import { GoMap, type GoValue, isTrue, typeName } from './values.ts';

/** A function templates may call. `parameters` are checked before the call; `...` means any number of any values. */
export interface TemplateFunction {
  readonly parameters: readonly ('string' | 'int' | 'any' | '...')[];
  readonly call: (...args: GoValue[]) => GoValue;
}

export type FunctionTable = ReadonlyMap<string, TemplateFunction>;

const variadic = (call: (...args: GoValue[]) => GoValue): TemplateFunction => ({ parameters: ['...'], call });
const ofText = (work: (text: string) => string): TemplateFunction => ({
  parameters: ['string'],
  call: (text) => work(String(text)),
});

/** Go's own functions and those Docker adds. */
export const standardFunctions: FunctionTable = new Map<string, TemplateFunction>([
  ['html', variadic((...args) => escapeHtml(sprint(args)))],
  ['js', variadic((...args) => escapeJs(sprint(args)))],
  ['urlquery', variadic((...args) => escapeQuery(sprint(args)))],
  ['print', variadic((...args) => sprint(args))],
  ['println', variadic((...args) => `${args.map((arg) => formatPlain(arg, false)).join(' ')}\n`)],
  ['printf', { parameters: ['string', '...'], call: (format, ...args) => sprintf(String(format), args) }],
  ['len', { parameters: ['any'], call: length }],
  ['index', { parameters: ['any', '...'], call: (item, ...keys) => keys.reduce(indexOne, item) }],
  ['slice', { parameters: ['any', '...'], call: slice }],
  ['not', { parameters: ['any'], call: (value) => !isTrue(value) }],
  ['and', { parameters: ['any', '...'], call: (...args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1) }],
  ['or', { parameters: ['any', '...'], call: (...args) => args.find(isTrue) ?? args.at(-1) }],
  ['eq', { parameters: ['any', '...'], call: equalsAny }],
  ['ne', { parameters: ['any', 'any'], call: (a, b) => !equals(a, b) }],
  ['lt', { parameters: ['any', 'any'], call: (a, b) => compare(a, b) < 0 }],
  ['le', { parameters: ['any', 'any'], call: (a, b) => compare(a, b) <= 0 }],
  ['gt', { parameters: ['any', 'any'], call: (a, b) => compare(a, b) > 0 }],
  ['ge', { parameters: ['any', 'any'], call: (a, b) => compare(a, b) >= 0 }],
  ['call', { parameters: ['any', '...'], call: notCallable }],
  ['json', { parameters: ['any'], call: (value) => formatGoJson(value) }],
  ['split', { parameters: ['string', 'string'], call: (text, by) => String(text).split(String(by)) }],
  ['join', { parameters: ['any', 'string'], call: join }],
  [
    'title',
    ofText((text) => text.replace(/(^|\s)(\S)/gu, (_all, space: string, first: string) => space + first.toUpperCase())),
  ],
  ['lower', ofText((text) => text.toLowerCase())],
  ['upper', ofText((text) => text.toUpperCase())],
  ['pad', { parameters: ['string', 'int', 'int'], call: padWithSpace }],
  ['truncate', { parameters: ['string', 'int'], call: truncate }],
]);

/** Over a table's header, Docker's functions leave names as they are. */
export const headerFunctions: FunctionTable = new Map<string, TemplateFunction>([
  ...standardFunctions,
  ...['json', 'title', 'lower', 'upper'].map((name) => [name, ofText((text) => text)] as const),
  ...['split', 'join'].map((name) => [name, { parameters: ['any', 'string'], call: (text: GoValue) => text }] as const),
  ['truncate', { parameters: ['string', 'int'], call: (text) => text }],
]);

function length(value: GoValue): GoValue {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof GoMap && value.structName === undefined) return value.entries.size;
  if (value === null || value === undefined) throw new CallError('len of nil pointer');
  throw new CallError(`len of type ${typeName(value)}`);
}

function indexOne(item: GoValue, key: GoValue): GoValue {
  if (item === null || item === undefined) throw new CallError('index of untyped nil');
  if (item instanceof GoMap) {
    if (item.structName !== undefined) throw new CallError(`can't index item of type ${item.structName}`);
    if (typeof key !== 'string') throw new CallError(`value has type ${typeName(key)}; should be string`);
    return item.entries.has(key) ? item.entries.get(key) : item.zero;
  }
  if (typeof item !== 'string' && !Array.isArray(item))
    throw new CallError(`can't index item of type ${typeName(item)}`);
  if (typeof key !== 'number') throw new CallError(`cannot index slice/array with type ${typeName(key)}`);
  const bytes = typeof item === 'string' ? Buffer.from(item) : undefined;
  const size = bytes ? bytes.length : item.length;
  if (key < 0 || key >= size) throw new CallError(`index out of range: ${key}`);
  if (bytes) return bytes[key];
  return Array.isArray(item) ? (item[key] as GoValue) : undefined;
}

function slice(item: GoValue, ...indexes: GoValue[]): GoValue {
  if (item === null || item === undefined) throw new CallError('slice of untyped nil');
  if (indexes.length > 3) throw new CallError(`too many slice indexes: ${indexes.length}`);
  if (typeof item !== 'string' && !Array.isArray(item))
    throw new CallError(`can't slice item of type ${typeName(item)}`);
  if (typeof item === 'string' && indexes.length === 3) throw new CallError('cannot 3-index slice a string');
  const source = typeof item === 'string' ? Buffer.from(item) : item;
  const at = (index: GoValue): number => {
    if (typeof index !== 'number') throw new CallError(`cannot index slice/array with type ${typeName(index)}`);
    if (index < 0 || index > source.length) throw new CallError(`index out of range: ${index}`);
    return index;
  };
  const start = indexes.length > 0 ? at(indexes[0]) : 0;
  const end = indexes.length > 1 ? at(indexes[1]) : source.length;
  if (start > end) throw new CallError(`invalid slice index: ${start} > ${end}`);
  if (Buffer.isBuffer(source)) return source.subarray(start, end).toString('utf8');
  return Array.isArray(source) ? source.slice(start, end) : undefined;
}

function equalsAny(first: GoValue, ...rest: GoValue[]): GoValue {
  if (rest.length === 0) throw new CallError('missing argument for comparison');
  return rest.some((other) => equals(first, other));
}

function notCallable(value: GoValue): GoValue {
  if (value === null || value === undefined) throw new CallError('call of nil');
  throw new CallError(`non-function of type ${typeName(value)}`);
}

function join(items: GoValue, separator: GoValue): GoValue {
  if (items === null || items === undefined) return '';
  const texts = Array.isArray(items)
    ? items.map((item: GoValue) => formatPlain(item, false))
    : items instanceof GoMap
      ? [...items.entries.values()].map((item) => formatPlain(item, false)).sort()
      : undefined;
  if (!texts) throw new CallError(`expected slice, got ${typeName(items)}`);
  return texts.join(String(separator));
}

function padWithSpace(text: GoValue, before: GoValue, after: GoValue): GoValue {
  return text === '' ? '' : ' '.repeat(Number(before)) + String(text) + ' '.repeat(Number(after));
}

/** Cuts by bytes, as Docker's does. */
function truncate(text: GoValue, most: GoValue): GoValue {
  const bytes = Buffer.from(String(text));
  return bytes.length < Number(most) ? text : bytes.subarray(0, Number(most)).toString('utf8');
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char);
}

function escapeJs(text: string): string {
  return [...text]
    .map((char) => {
      if (char === '\\' || char === "'" || char === '"') return `\\${char}`;
      const code = char.codePointAt(0) ?? 0;
      if (code >= 0x20 && code !== 0x7f && !'<>&='.includes(char)) return char;
      return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    })
    .join('');
}

function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (char) => `%${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}`);
}
