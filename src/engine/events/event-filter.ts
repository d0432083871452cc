import { EngineError } from '#errors';
import type { EventMessage } from '#spec';

/** Docker's `filters` of `GET /events`: every value given for each key. */
export type EventFilters = ReadonlyMap<string, readonly string[]>;

const known = new Set([
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
]);

/** @throws {@link EngineError} invalidArgument for a key that is no event filter, with Docker's text. */
export function checkEventFilters(filters: EventFilters): void {
  for (const key of filters.keys()) {
    if (!known.has(key)) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
  }
}

/** Whether an event passes: every key must match, any of a key's values suffices (labels: all of them). */
export function matchesEvent(event: EventMessage, filters: EventFilters): boolean {
  for (const [key, values] of filters) {
    if (values.length > 0 && !matchesKey(event, key, values)) return false;
  }
  return true;
}

function matchesKey(event: EventMessage, key: string, values: readonly string[]): boolean {
  const attributes = event.Actor.Attributes;
  switch (key) {
    case 'event':
      // An exec's action is `exec_start: sh`; the filter names the part before the colon.
      return values.some((value) => event.Action === value || event.Action.split(':')[0] === value);
    case 'type':
      return values.includes(event.Type);
    case 'scope':
      return values.includes(event.scope);
    case 'label':
      return values.every((value) => matchesLabel(attributes, value));
    case 'image':
      return values.some((value) => matchesImage(event, value));
    case 'container':
    case 'volume':
    case 'network':
    case 'daemon':
    case 'plugin':
      return matchesActor(event, key, values);
    default:
      return false;
  }
}

function matchesLabel(attributes: Readonly<Record<string, string>>, wanted: string): boolean {
  const separator = wanted.indexOf('=');
  if (separator < 0) return Object.hasOwn(attributes, wanted);
  return attributes[wanted.slice(0, separator)] === wanted.slice(separator + 1);
}

function matchesActor(event: EventMessage, type: string, values: readonly string[]): boolean {
  const attributes = event.Actor.Attributes;
  if (type === 'container' && event.Type !== 'container') {
    return values.some((value) => attributes['container'] !== undefined && attributes['container'].startsWith(value));
  }
  if (event.Type !== type) return false;
  return values.some((value) => event.Actor.ID.startsWith(value) || attributes['name'] === value.replace(/^\//, ''));
}

function matchesImage(event: EventMessage, value: string): boolean {
  const candidates = [
    event.Type === 'image' ? event.Actor.ID : undefined,
    event.Type === 'image' ? event.Actor.Attributes['name'] : undefined,
    event.Actor.Attributes['image'],
  ];
  return candidates.some((candidate) => {
    if (candidate === undefined) return false;
    return (
      candidate === value ||
      candidate.replace(/:[^:/]*$/, '') === value ||
      candidate.replace(/^sha256:/, '').startsWith(value)
    );
  });
}
