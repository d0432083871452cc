import type { NetworkDescription } from '#net';
import { parseRfc3339Nano } from '#lib';
import { matchesLabel } from '../containers/list-filter.ts';
import { parseUntil } from '../prune-until.ts';
import { invalidNetworkFilter } from './errors.ts';

export type Filters = ReadonlyMap<string, readonly string[]>;
type Predicate = (network: NetworkDescription) => boolean;

const listKeys = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
const pruneKeys = new Set(['label', 'label!', 'until']);

/** Nobody who runs is on it. */
export function isDangling(network: NetworkDescription): boolean {
  return !network.predefined && network.endpoints.size === 0;
}

function compileDangling(values: readonly string[]): Predicate {
  const [value = '', ...more] = values;
  if (more.length > 0) throw invalidNetworkFilter('got more than one value for filter key "dangling"');
  if (!['0', '1', 'false', 'true'].includes(value)) {
    throw invalidNetworkFilter(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
  }
  const wanted = value === '1' || value === 'true';
  return (network) => isDangling(network) === wanted;
}

function compileUntil(values: readonly string[]): Predicate {
  if (values.length > 1) throw invalidNetworkFilter('more than one until filter specified');
  const until = parseUntil(values[0] ?? '');
  return ({ created }) => (parseRfc3339Nano(created) ?? 0n) <= until;
}

function compileType(values: readonly string[]): Predicate {
  const strange = values.find((value) => value !== 'builtin' && value !== 'custom');
  if (strange !== undefined) throw invalidNetworkFilter(`invalid filter: 'type'='${strange}'`);
  return ({ predefined }) => values.includes(predefined ? 'builtin' : 'custom');
}

function compileOne(key: string, values: readonly string[]): Predicate {
  switch (key) {
    case 'dangling':
      return compileDangling(values);
    case 'until':
      return compileUntil(values);
    case 'type':
      return compileType(values);
    case 'driver':
      return ({ driver }) => values.includes(driver);
    case 'id':
      return ({ id }) => values.some((value) => id.startsWith(value));
    case 'name':
      return ({ name }) => values.some((value) => name.includes(value));
    case 'scope':
      return ({ scope }) => values.includes(scope);
    case 'label':
      return ({ labels }) => values.every((value) => matchesLabel(labels, value));
    default:
      return ({ labels }) => !values.every((value) => matchesLabel(labels, value));
  }
}

function compile(filters: Filters, known: ReadonlySet<string>): Predicate {
  for (const key of filters.keys()) {
    if (!known.has(key)) throw invalidNetworkFilter(`invalid filter '${key}'`);
  }
  const all = [...filters].filter(([, values]) => values.length > 0).map(([key, values]) => compileOne(key, values));
  return (network) => all.every((matches) => matches(network));
}

/** Filters of `network ls`. @throws invalidArgument for unknown keys and values. */
export function compileListFilter(filters: Filters): Predicate {
  return compile(filters, listKeys);
}

/** Filters of `network prune`. @throws invalidArgument for unknown keys and values. */
export function compilePruneFilter(filters: Filters): Predicate {
  return compile(filters, pruneKeys);
}
