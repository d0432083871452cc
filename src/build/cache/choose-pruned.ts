import { EngineError } from '#errors';
import { parseMoment } from '#lib';
import { type CacheEntry, lastUse } from './cache-entries.ts';

/** What to take out of the cache. */
export interface PruneRequest {
  /** Also what images share. */
  readonly all: boolean;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** The cache may keep this much. */
  readonly keepBytes: number;
}

/**
 * Which entries go: of those that match, the ones not used for the longest time, until what is left is small enough. Never one that a build
 * works with.
 *
 * @param entries - the one not used for the longest time first.
 */
export function choosePruned(entries: readonly CacheEntry[], request: PruneRequest): CacheEntry[] {
  const matches = compileFilters(request.filters);
  let leftBytes = entries.reduce((sum, { Size }) => sum + Size, 0);
  const chosen: CacheEntry[] = [];
  for (const entry of entries) {
    if (request.keepBytes > 0 && leftBytes <= request.keepBytes) break;
    if (entry.InUse || (entry.Shared && !request.all) || !matches(entry)) continue;
    chosen.push(entry);
    leftBytes -= entry.Size;
  }
  return chosen;
}

type Match = (entry: CacheEntry) => boolean;

/** @throws invalidArgument with Docker's texts. */
function compileFilters(filters: PruneRequest['filters']): Match {
  const all = [...filters].map(([name, values]) => {
    const matches = values.map((value) => compileFilter(name, value));
    return (entry: CacheEntry): boolean => matches.some((match) => match(entry));
  });
  return (entry) => all.every((match) => match(entry));
}

function compileFilter(name: string, value: string): Match {
  switch (name) {
    case 'until':
    case 'unused-for': {
      const moment = parseMoment(value);
      if (moment === undefined) {
        throw invalid(
          `${JSON.stringify(name)} filter expects a duration (e.g., '24h') or a time: ${JSON.stringify(value)}`,
        );
      }
      return (entry) => lastUse(entry) <= moment;
    }
    case 'id':
      return ({ ID }) => ID.startsWith(value);
    case 'parent':
    case 'parents':
      return ({ Parents = [] }) => Parents.some((parent) => parent.startsWith(value));
    case 'type':
      return ({ Type }) => Type === value;
    case 'description':
      return ({ Description }) => Description.includes(value);
    case 'inuse':
      return ({ InUse }) => String(InUse) === (value || 'true');
    case 'shared':
      return ({ Shared }) => String(Shared) === (value || 'true');
    case 'private':
      return ({ Shared }) => String(!Shared) === (value || 'true');
    default:
      throw invalid(`invalid filter '${name}'`);
  }
}

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', message);
}
