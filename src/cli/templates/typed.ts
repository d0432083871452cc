import { shapes } from './shapes.ts';
import { GoFloat, GoMap, type GoValue, nilSlice, sortedKeys } from '#templates';

/**
 * Decoded JSON as Go would hold it in the struct called `name` (see `shapes.ts`): members the struct lacks are gone,
 * absent ones have their zero value. Messages call the type `shownName`. So `{{if .State.Health}}` is false where a plain map would be an error.
 */
export function asGoStruct(value: GoValue, name: string, shownName: string = name): GoValue {
  return convertStruct(value, name, shownName);
}

interface Field {
  readonly goName: string;
  readonly jsonName: string;
  readonly type: string;
  readonly omitEmpty: boolean;
}

const parsed = new Map<string, readonly Field[]>();

function fieldsOf(structName: string): readonly Field[] {
  const known = parsed.get(structName);
  if (known) return known;
  const fields = (shapes[structName] ?? '')
    .trim()
    .split(/\s+/)
    .map((word): Field => {
      const [, goName = '', jsonName, type = 'any', omit] = /^(\w+)(?:=(\w+))?:([^?]+)(\?)?$/.exec(word) ?? [];
      return { goName, jsonName: jsonName ?? goName, type, omitEmpty: omit === '?' };
    });
  parsed.set(structName, fields);
  return fields;
}

function convert(value: GoValue, type: string): GoValue {
  if (type.startsWith('*')) return value === null || value === undefined ? null : convert(value, type.slice(1));
  if (type.startsWith('[]')) {
    return Array.isArray(value) ? value.map((item: GoValue) => convert(item, type.slice(2))) : nilSlice;
  }
  if (type.startsWith('map:')) return convertMap(value, type.slice('map:'.length));
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : '';
    case 'bool':
      return value === true;
    case 'int':
      return typeof value === 'number' || typeof value === 'bigint' ? value : 0;
    case 'float':
      return value instanceof GoFloat ? value : new GoFloat(Number(value ?? 0));
    case 'any':
      return value ?? null;
    default:
      return convertStruct(value, type);
  }
}

function convertMap(value: GoValue, element: string): GoMap {
  const zero = convert(undefined, element);
  if (!(value instanceof GoMap)) return new GoMap(new Map(), { zero, isNil: true });
  const entries = sortedKeys(value).map((key) => [key, convert(value.entries.get(key), element)] as const);
  return new GoMap(new Map(entries), { zero });
}

function convertStruct(value: GoValue, structName: string, shownName: string = structName): GoMap {
  const source = value instanceof GoMap ? value.entries : new Map<string, GoValue>();
  const entries = new Map<string, GoValue>();
  const omitted = new Set<string>();
  const jsonNames = new Map<string, string>();
  for (const field of fieldsOf(structName)) {
    const converted = convert(source.get(field.jsonName), field.type);
    entries.set(field.goName, converted);
    if (field.jsonName !== field.goName) jsonNames.set(field.goName, field.jsonName);
    if (field.omitEmpty && isEmpty(converted)) omitted.add(field.goName);
  }
  return new GoMap(entries, { structName: shownName, omitted, jsonNames });
}

/** What `omitempty` leaves out: zero scalars, nil, empty slices and maps; never a struct. */
function isEmpty(value: GoValue): boolean {
  if (value instanceof GoMap) return value.structName === undefined && value.entries.size === 0;
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === undefined || value === '' || value === 0 || value === false;
}
