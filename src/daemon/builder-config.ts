import type { GcPolicy } from '#build';
import type { EngineError } from '#errors';

/** How builds are kept in bounds. */
export interface BuilderConfig {
  /** Undefined: what suits the disk. None: nothing is ever removed by itself. */
  policies: readonly GcPolicy[] | undefined;
}

type Problem = (reason: string) => EngineError;
type Fields = Readonly<Record<string, unknown>>;

const powers: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };
const gcKeys = [
  'enabled',
  'policy',
  'defaultKeepStorage',
  'defaultReservedSpace',
  'defaultMaxUsedSpace',
  'defaultMinFreeSpace',
];
const policyKeys = ['all', 'filter', 'keepStorage', 'reservedSpace', 'maxUsedSpace', 'minFreeSpace'];

/** `builder` of daemon.json, as dockerd has it. */
export function toBuilderConfig(value: unknown, problem: Problem): BuilderConfig {
  if (value === undefined) return { policies: undefined };
  const { gc } = fields(value, 'builder', ['gc', 'entitlements'], problem);
  if (gc === undefined) return { policies: undefined };
  const given = fields(gc, 'builder.gc', gcKeys, problem);
  const { enabled = true, policy } = given;
  if (typeof enabled !== 'boolean') throw problem('builder.gc.enabled: a boolean is expected');
  if (!enabled) return { policies: [] };
  if (policy !== undefined) {
    if (!Array.isArray(policy)) throw problem('builder.gc.policy: a list is expected');
    return { policies: policy.map((each: unknown) => toPolicy(each, problem)) };
  }
  const limits = {
    reservedBytes: size(given, 'defaultReservedSpace', problem) ?? size(given, 'defaultKeepStorage', problem),
    maxUsedBytes: size(given, 'defaultMaxUsedSpace', problem),
    minFreeBytes: size(given, 'defaultMinFreeSpace', problem),
  };
  if (Object.values(limits).every((limit) => limit === undefined)) return { policies: undefined };
  return {
    policies: [
      { all: false, filters: new Map(), ...limits },
      { all: true, filters: new Map(), ...limits },
    ],
  };
}

function toPolicy(value: unknown, problem: Problem): GcPolicy {
  const given = fields(value, 'builder.gc.policy', policyKeys, problem);
  const { all = false, filter = [] } = given;
  if (typeof all !== 'boolean') throw problem('builder.gc.policy.all: a boolean is expected');
  if (!Array.isArray(filter) || !filter.every((item) => typeof item === 'string' && item.includes('='))) {
    throw problem('builder.gc.policy.filter: a list of name=value is expected');
  }
  const filters = new Map<string, string[]>();
  for (const text of filter as string[]) {
    const cut = text.indexOf('=');
    const name = text.slice(0, cut);
    filters.set(name, [...(filters.get(name) ?? []), text.slice(cut + 1)]);
  }
  return {
    all,
    filters,
    reservedBytes: size(given, 'reservedSpace', problem) ?? size(given, 'keepStorage', problem),
    maxUsedBytes: size(given, 'maxUsedSpace', problem),
    minFreeBytes: size(given, 'minFreeSpace', problem),
  };
}

function fields(value: unknown, name: string, known: readonly string[], problem: Problem): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(`${name}: a map is expected`);
  const strange = Object.keys(value).find((key) => !known.includes(key));
  if (strange !== undefined) {
    throw problem(`the following directives don't match any configuration option: ${name}.${strange}`);
  }
  return { ...value };
}

/** `20GB`, binary, or a number of bytes. */
function size(given: Fields, key: string, problem: Problem): number | undefined {
  const value = given[key];
  if (value === undefined) return undefined;
  if (typeof value === 'number') return value;
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(String(value)) ?? [];
  if (amount === '') throw problem(`builder.gc: ${key}: a size is expected`);
  return Math.trunc(Number(amount) * 1024 ** (powers[unit.toLowerCase()] ?? 0));
}
