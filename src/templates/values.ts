/**
 * Go values as templates see them.
 *
 * Whole numbers are `number` or `bigint` (Go's int), others {@link GoFloat}; slices are arrays; maps and structs are
 * {@link GoMap}; rows of a table are {@link GoRow}. `null` is nil, `undefined` is Go's "no value".
 */
export type GoValue =
  | null
  | undefined
  | string
  | boolean
  | number
  | bigint
  | GoFloat
  | GoMap
  | GoRow
  | readonly GoValue[];

/** A number that is not whole by type: Go prints `float64(1)` as 1, but compares and formats it apart from ints. */
export class GoFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A slice that was never made: prints as an empty one, but is `null` in JSON. */
export const nilSlice: readonly GoValue[] = [];

/** A Go map, or a struct when `fields` are known: those print without names, and unknown names are errors. */
export class GoMap {
  readonly entries: ReadonlyMap<string, GoValue>;
  /** The Go type's name for a struct (`container.State`); undefined for maps. */
  readonly structName: string | undefined;
  /** What indexing by an unknown key gives, by the map's type. */
  readonly zero: GoValue;
  /** Names left out of JSON because they hold their zero value. */
  readonly omitted: ReadonlySet<string>;
  /** Where a struct's field has another name in JSON. */
  readonly jsonNames: ReadonlyMap<string, string>;
  /** A map that was never made: prints as an empty one, but is `null` in JSON. */
  readonly isNil: boolean;

  constructor(
    entries: ReadonlyMap<string, GoValue>,
    options: {
      structName?: string;
      zero?: GoValue;
      omitted?: ReadonlySet<string>;
      jsonNames?: ReadonlyMap<string, string>;
      isNil?: boolean;
    } = {},
  ) {
    this.entries = entries;
    this.structName = options.structName;
    this.zero = 'zero' in options ? options.zero : undefined;
    this.omitted = options.omitted ?? new Set();
    this.jsonNames = options.jsonNames ?? new Map();
    this.isNil = options.isNil ?? false;
  }
}

/** A row of a table: its columns are computed when a template asks. Methods take arguments (`.Label "x"`). */
export interface RowColumns {
  readonly [name: string]: () => GoValue;
}

export class GoRow {
  readonly typeName: string;
  readonly columns: RowColumns;
  readonly methods: Readonly<Record<string, (argument: string) => GoValue>>;

  constructor(typeName: string, columns: RowColumns, methods: GoRow['methods'] = {}) {
    this.typeName = typeName;
    this.columns = columns;
    this.methods = methods;
  }
}

/** Plain JavaScript data (decoded JSON, say) as a Go value; objects become maps. */
export function toGoValue(value: unknown): GoValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isInteger(value) ? value : new GoFloat(value);
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (value instanceof GoMap || value instanceof GoRow || value instanceof GoFloat) return value;
  if (Array.isArray(value)) return value.map(toGoValue);
  return new GoMap(new Map(Object.entries(value).map(([key, member]) => [key, toGoValue(member)])));
}

/** Whether `{{if}}` takes the value for true. */
export function isTrue(value: GoValue): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value === 'object') {
    if (Array.isArray(value)) return value.length > 0;
    if (value instanceof GoFloat) return value.value !== 0;
    return value instanceof GoMap && value.structName === undefined ? value.entries.size > 0 : true;
  }
  return Boolean(value);
}

/** The value's Go type as messages name it. */
export function typeName(value: GoValue): string {
  if (value === null || value === undefined) return 'interface {}';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'int';
  if (value instanceof GoFloat) return 'float64';
  if (value instanceof GoRow) return value.typeName;
  if (value instanceof GoMap) return value.structName ?? 'map[string]interface {}';
  return value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
}

/** Keys in Go's order. */
export function sortedKeys(map: GoMap): string[] {
  return [...map.entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
