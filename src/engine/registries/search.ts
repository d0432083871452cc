import { EngineError } from '#errors';
import type { RegistryClient, RegistryCredentials, SearchResult } from '#registry';
import type { SearchRow } from '#spec';
import { registryHost } from './login.ts';

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

export interface SearchRequest {
  term: string;
  /** Undefined for the default, 25. */
  limit: number | undefined;
  filters: ReadonlyMap<string, readonly string[]>;
  credentials: RegistryCredentials;
}

type Keep = (result: SearchResult) => boolean;

function invalidFilter(name: string, value: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${name}=[${value}]'`);
}

function booleanFilter(name: string, values: readonly string[], read: (result: SearchResult) => boolean): Keep {
  const words = new Set(values.map((value) => value.toLowerCase()));
  const isTrue = ['1', 'true'].some((word) => words.has(word));
  const isFalse = ['0', 'false'].some((word) => words.has(word));
  if (isTrue === isFalse) throw invalidFilter(name, values.join(' '));
  return (result) => read(result) === isTrue;
}

function starsFilter(values: readonly string[]): Keep {
  const bad = values.find((value) => !/^\d+$/.test(value));
  if (bad !== undefined) throw invalidFilter('stars', bad);
  const atLeast = Math.max(...values.map(Number));
  return (result) => result.star_count >= atLeast;
}

/** What every result must satisfy. @throws invalidArgument with Docker's texts. */
export function searchFilter(filters: SearchRequest['filters']): Keep {
  const keeps = [...filters].map(([name, values]): Keep => {
    switch (name) {
      case 'is-official':
        return booleanFilter(name, values, (result) => result.is_official);
      case 'is-automated':
        return booleanFilter(name, values, (result) => result.is_automated);
      case 'stars':
        return starsFilter(values);
      default:
        throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${name}'`);
    }
  });
  return (result) => keeps.every((keep) => keep(result));
}

/** The registry that a term names in front of it; Docker Hub otherwise. */
function splitTerm(term: string): { domain: string; term: string } {
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost';
  return isHost ? { domain: registryHost(first), term: term.slice(slash + 1) } : { domain: registryHost(''), term };
}

/** `docker search`. */
export async function search(
  client: Pick<RegistryClient, 'search'>,
  request: SearchRequest & { signal: AbortSignal },
): Promise<SearchRow[]> {
  const keep = searchFilter(request.filters);
  const limit = request.limit === undefined || request.limit === 0 ? DEFAULT_LIMIT : request.limit;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_LIMIT',
      `Limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`,
    );
  }
  if (/^https?:\/\//.test(request.term)) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_TERM',
      `invalid repository name: repository name (${request.term}) should not have a scheme`,
    );
  }
  const { domain, term } = splitTerm(request.term);
  const results = await client.search(domain, { term, limit }, request);
  return results.filter(keep).map(({ star_count, is_official, name, is_automated, description }) => ({
    star_count,
    is_official,
    name,
    is_automated,
    description,
  }));
}
