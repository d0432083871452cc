import { GoFloat, GoMap, GoRow, type GoValue, nilSlice } from './values.ts';

/**
 * JSON text as Go values: the order of members is kept, whole numbers of any size stay exact.
 *
 * @throws SyntaxError
 */
export function parseGoJson(text: string): GoValue {
  return new JsonReader(text).read();
}

class JsonReader {
  readonly #text: string;
  readonly #token = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;

  constructor(text: string) {
    this.#text = text;
  }

  read(): GoValue {
    const value = this.#value(this.#next());
    if (this.#text.slice(this.#token.lastIndex).trim() !== '') this.#fail();
    return value;
  }

  #next(): string {
    return this.#token.exec(this.#text)?.[0].trim() ?? this.#fail();
  }

  #fail(): never {
    throw new SyntaxError('invalid JSON');
  }

  #value(token: string): GoValue {
    if (token === '{') return this.#object();
    if (token === '[') return this.#array();
    if (token.startsWith('"')) return this.#string(token);
    if (token === 'null') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (/^-?\d+$/.test(token)) return Number.isSafeInteger(Number(token)) ? Number(token) : BigInt(token);
    if (/^-?\d/.test(token)) return new GoFloat(Number(token));
    return this.#fail();
  }

  #string(token: string): string {
    if (!token.startsWith('"')) return this.#fail();
    const value: unknown = JSON.parse(token);
    return typeof value === 'string' ? value : this.#fail();
  }

  #object(): GoMap {
    const entries = new Map<string, GoValue>();
    let token = this.#next();
    while (token !== '}') {
      const key = this.#string(token);
      if (this.#next() !== ':') this.#fail();
      entries.set(key, this.#value(this.#next()));
      token = this.#next();
      if (token === ',') token = this.#next();
      else if (token !== '}') this.#fail();
    }
    return new GoMap(entries);
  }

  #array(): GoValue[] {
    const items: GoValue[] = [];
    let token = this.#next();
    while (token !== ']') {
      items.push(this.#value(token));
      token = this.#next();
      if (token === ',') token = this.#next();
      else if (token !== ']') this.#fail();
    }
    return items;
  }
}

/** What Go's encoder writes, with `<`, `>` and `&` as they are. Maps and structs keep their order, rows are sorted. */
export function formatGoJson(value: GoValue): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof GoFloat) return JSON.stringify(value.value);
  if (value instanceof GoMap) {
    if (value.isNil) return 'null';
    const keys = [...value.entries.keys()].filter((key) => !value.omitted.has(key));
    const members = keys.map(
      (key) => `${jsonString(value.jsonNames.get(key) ?? key)}:${formatGoJson(value.entries.get(key))}`,
    );
    return `{${members.join(',')}}`;
  }
  if (value instanceof GoRow) return escapeHtml(formatRow(value));
  return value === nilSlice ? 'null' : `[${value.map(formatGoJson).join(',')}]`;
}

function formatRow({ columns }: GoRow): string {
  const members = Object.keys(columns)
    .sort()
    .map((name) => `${jsonString(name)}:${formatGoJson(columns[name]?.())}`);
  return `{${members.join(',')}}`;
}

/** Rows go through Go's default encoder, which makes JSON safe inside HTML. */
function escapeHtml(json: string): string {
  return json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}

function jsonString(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
