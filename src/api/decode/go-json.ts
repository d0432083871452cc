import { EngineError } from '#errors';

/**
 * Decoders that read JSON as Go's encoding/json reads it into a struct: names match in any case, unknown names are
 * ignored, `null` and absence both leave the zero value, a wrong type is an error naming the field.
 */
export interface Decoder<T> {
  /** What absence and `null` give. */
  zero(): T;
  /** @param field - Path for error messages. */
  decode(value: unknown, field: string): T;
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return `number ${value}`;
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'object';
}

/** Go's complaint about a value that does not fit the field. */
export function wrongType(value: unknown, field: string, goType: string): EngineError {
  const kind = typeof value === 'number' && !goType.includes('int') ? 'number' : jsonTypeOf(value);
  const place = field === '' ? 'Go value' : `Go struct field ${field}`;
  return new EngineError(
    'invalidArgument',
    'INVALID_JSON',
    `invalid JSON: json: cannot unmarshal ${kind} into ${place} of type ${goType}`,
  );
}

/** The value decoded, where the whole document may be missing. */
export function decodeDocument<T>(decoder: Decoder<T>, value: unknown): T {
  return decodeOrZero(decoder, value, '');
}

function decodeOrZero<T>(decoder: Decoder<T>, value: unknown, field: string): T {
  return value === null || value === undefined ? decoder.zero() : decoder.decode(value, field);
}

export function text(): Decoder<string> {
  return {
    zero: () => '',
    decode(value, field) {
      if (typeof value !== 'string') throw wrongType(value, field, 'string');
      return value;
    },
  };
}

export function flag(): Decoder<boolean> {
  return {
    zero: () => false,
    decode(value, field) {
      if (typeof value !== 'boolean') throw wrongType(value, field, 'bool');
      return value;
    },
  };
}

type IntegerType = 'int64' | 'int' | 'uint' | 'uint32' | 'uint16';

const ranges: Readonly<Record<IntegerType, readonly [number, number]>> = {
  int64: [-(2 ** 63), 2 ** 63],
  int: [-(2 ** 63), 2 ** 63],
  uint: [0, 2 ** 64],
  uint32: [0, 2 ** 32 - 1],
  uint16: [0, 65_535],
};

/** Numbers beyond 2^53 lose their last digits, as everywhere in JavaScript; Docker's real ones stay below. */
export function integer(goType: IntegerType = 'int64'): Decoder<number> {
  const [lowest, highest] = ranges[goType];
  return {
    zero: () => 0,
    decode(value, field) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest || value > highest) {
        throw wrongType(value, field, goType);
      }
      return value;
    },
  };
}

/** A slice: absent and `null` give null, which differs from the empty list. */
export function list<T>(item: Decoder<T>): Decoder<T[] | null> {
  return {
    zero: () => null,
    decode(value, field) {
      if (!Array.isArray(value)) throw wrongType(value, field, '[]slice');
      const items: unknown[] = value;
      return items.map((one) => decodeOrZero(item, one, field));
    },
  };
}

/** A list, or one string for a list of one, as commands may be given. */
export function words(): Decoder<string[] | null> {
  const many = list(text());
  return {
    zero: () => null,
    decode: (value, field) => (typeof value === 'string' ? [value] : many.decode(value, field)),
  };
}

/** A map: absent and `null` give null. */
export function map<T>(item: Decoder<T>): Decoder<Record<string, T> | null> {
  return {
    zero: () => null,
    decode(value, field) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, field, 'map');
      return Object.fromEntries(
        Object.entries(value).map(([name, one]: [string, unknown]) => [name, decodeOrZero(item, one, field)]),
      );
    },
  };
}

/** A Go array of fixed length: what is missing is zero, what is too much is dropped. */
export function pair(item: Decoder<number>): Decoder<[number, number]> {
  return {
    zero: () => [0, 0],
    decode(value, field) {
      if (!Array.isArray(value)) throw wrongType(value, field, '[2]uint');
      const items: unknown[] = value;
      return [decodeOrZero(item, items[0], field), decodeOrZero(item, items[1], field)];
    },
  };
}

/** A pointer: absent and `null` give null. */
export function nullable<T>(item: Decoder<T>): Decoder<T | null> {
  return { zero: () => null, decode: (value, field) => item.decode(value, field) };
}

/** A pointer, or a field left out when empty: absent and `null` leave the property out. */
export function optional<T>(item: Decoder<T | null>): Decoder<T | undefined> {
  return { zero: () => undefined, decode: (value, field) => item.decode(value, field) ?? undefined };
}

/** A list or map whose null counts as empty. */
export function orEmpty<T extends object>(item: Decoder<T | null>, empty: () => T): Decoder<T> {
  return { zero: empty, decode: (value, field) => item.decode(value, field) ?? empty() };
}

/** `{}`: Go's empty struct, which sets are made of. */
export function nothing(): Decoder<Record<string, never>> {
  return {
    zero: () => ({}),
    decode(value, field) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw wrongType(value, field, 'struct {}');
      return {};
    },
  };
}

type Fields<T> = { [K in keyof T]-?: Decoder<T[K] | Extract<undefined, T[K]>> | Decoder<T[K] | undefined> };

export interface StructDecoder<T> extends Decoder<T> {
  /** Whether the struct has a field of this name, in any case. */
  has(name: string): boolean;
}

/** A struct with these fields. */
export function struct<T extends object>(fields: Fields<T>): StructDecoder<T> {
  const decoders: [string, Decoder<unknown>][] = Object.entries(fields);
  const byName = new Map(decoders);
  const canonicalNames = new Map(decoders.map(([name]) => [name.toLowerCase(), name]));
  const canonical = (name: string): string | undefined =>
    byName.has(name) ? name : canonicalNames.get(name.toLowerCase());
  const build = (given: ReadonlyMap<string, unknown>, parent: string): T => {
    const result: Record<string, unknown> = {};
    for (const [name, decoder] of decoders) {
      const value = decodeOrZero(decoder, given.get(name), parent === '' ? name : `${parent}.${name}`);
      if (value !== undefined) result[name] = value;
    }
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Fields<T> has a decoder for each of T's fields */
    return result as T;
  };
  return {
    has: (name) => canonical(name) !== undefined,
    zero: () => build(new Map(), ''),
    decode(value, field) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(value, field, 'struct');
      const given = new Map<string, unknown>();
      for (const [name, item] of Object.entries(value)) {
        const known = canonical(name);
        // null never overwrites, and of several spellings the last one counts.
        if (known !== undefined && item !== null) given.set(known, item);
      }
      return build(given, field);
    },
  };
}
