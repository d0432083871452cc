import { EngineError } from '#errors';
import { parseRfc3339Nano } from '#lib';
import { endingOf, type ContainerRecord } from './record.ts';

/** Docker's `filters` parameter: every value given for each key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

const known = new Set([
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'label!',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
]);
const statuses = new Set(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']);
const healths = new Set(['none', 'starting', 'healthy', 'unhealthy']);

function invalidFilter(key: string, value: string, reason?: string): EngineError {
  return new EngineError(
    'invalidArgument',
    'INVALID_FILTER',
    `invalid filter '${key}=${value}'${reason === undefined ? '' : `: ${reason}`}`,
  );
}

/** What the filter asks of its surroundings. */
export interface FilterContext {
  find(ref: string): ContainerRecord | undefined;
  /** ID of an image named by `ancestor`; undefined when there is none. */
  imageId(ref: string): Promise<string | undefined>;
}

/**
 * Turns Docker's filters of `GET /containers/json` into a predicate. Any of a key's values suffices, except labels: all
 * must match.
 *
 * @throws invalidArgument with Docker's texts; notFound when `before` or `since` names no container.
 */
export async function compileFilter(
  filters: Filters,
  context: FilterContext,
): Promise<(record: ContainerRecord) => boolean> {
  const tests: ((record: ContainerRecord) => boolean)[] = [];
  for (const [key, values] of filters) {
    if (!known.has(key)) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
    if (values.length === 0) continue;
    tests.push(await compileKey(key, values, context));
  }
  return (record) => tests.every((test) => test(record));
}

async function compileKey(
  key: string,
  values: readonly string[],
  context: FilterContext,
): Promise<(record: ContainerRecord) => boolean> {
  const any = (test: (record: ContainerRecord, value: string) => boolean) => (record: ContainerRecord) =>
    values.some((value) => test(record, value));
  switch (key) {
    case 'id':
      return any((record, value) => record.id.startsWith(value));
    case 'name': {
      const patterns = values.map((value) => toPattern(key, value));
      return (record) => patterns.some((pattern) => pattern.test(record.name) || pattern.test(`/${record.name}`));
    }
    case 'label':
      return (record) => values.every((value) => matchesLabel(record.config.Labels ?? {}, value));
    case 'label!':
      return (record) => values.every((value) => !matchesLabel(record.config.Labels ?? {}, value));
    case 'status':
      for (const value of values) {
        if (!statuses.has(value)) {
          throw invalidFilter(
            key,
            value,
            `invalid value for state (${value}): must be one of created, running, paused, restarting, removing, exited, dead`,
          );
        }
      }
      return any((record, value) => record.phase.status === value);
    case 'exited':
      return compileExited(values);
    case 'health':
      for (const value of values) {
        if (!healths.has(value)) {
          throw invalidFilter(
            key,
            value,
            `invalid value for health (${value}): must be one of none, starting, healthy, unhealthy`,
          );
        }
      }
      return any((record, value) => (record.health?.Status ?? 'none') === value);
    case 'before':
    case 'since':
      return compileAge(key, values, context);
    case 'ancestor': {
      const ids = new Set(await Promise.all(values.map((value) => context.imageId(value))));
      return (record) => ids.has(record.imageId);
    }
    case 'volume':
      return any((record, value) =>
        record.mounts.some(
          ({ point }) => point.Name === value || point.Source === value || point.Destination === value,
        ),
      );
    case 'network':
      return any(
        (record, value) =>
          record.endpoints[value] !== undefined ||
          (record.sandbox?.endpoints ?? []).some(({ networkId }) => networkId === value),
      );
    case 'expose':
      return (record) => matchesPort(values, Object.keys(record.config.ExposedPorts ?? {}));
    case 'publish':
      return (record) => matchesPort(values, Object.keys(record.hostConfig.PortBindings ?? {}));
    case 'is-task':
      return () => values.some((value) => !['1', 'true', 't', 'TRUE', 'True'].includes(value));
    default:
      // isolation: Windows only, Linux ignores it.
      return () => true;
  }
}

function toPattern(key: string, value: string): RegExp {
  try {
    return new RegExp(value);
  } catch {
    throw invalidFilter(key, value);
  }
}

function compileExited(values: readonly string[]): (record: ContainerRecord) => boolean {
  const codes = values.map((value) => {
    if (!/^-?\d+$/.test(value))
      throw invalidFilter('exited', value, `strconv.Atoi: parsing "${value}": invalid syntax`);
    return Number(value);
  });
  return (record) => {
    const ending = endingOf(record.phase);
    return ending !== undefined && codes.includes(ending.exitCode);
  };
}

function compileAge(
  key: 'before' | 'since',
  values: readonly string[],
  context: FilterContext,
): (record: ContainerRecord) => boolean {
  const limits = values.map((value) => {
    const found = context.find(value);
    if (!found) throw new EngineError('notFound', 'NO_SUCH_CONTAINER', `No such container: ${value}`);
    return createdAt(found);
  });
  return (record) =>
    limits.every((limit) => (key === 'before' ? createdAt(record) < limit : createdAt(record) > limit));
}

/** When the container was made, nanoseconds since the epoch. */
export function createdAt(record: ContainerRecord): bigint {
  return parseRfc3339Nano(record.createdAt) ?? 0n;
}

/** `key` or `key=value` against labels. */
export function matchesLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const separator = wanted.indexOf('=');
  if (separator < 0) return Object.hasOwn(labels, wanted);
  return labels[wanted.slice(0, separator)] === wanted.slice(separator + 1);
}

/** `80`, `80/tcp`, `8000-8080/udp` against `80/tcp` keys. */
function matchesPort(values: readonly string[], keys: readonly string[]): boolean {
  return values.some((value) => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(value);
    if (!match) throw invalidFilter('publish', value);
    const [, low = '', high = low, protocol = 'tcp'] = match;
    return keys.some((key) => {
      const [port = '', keyProtocol = 'tcp'] = key.split('/');
      return keyProtocol === protocol && Number(port) >= Number(low) && Number(port) <= Number(high);
    });
  });
}
