import type { EngineError } from '#errors';
import { Authorizer } from './authorizer.ts';
import { readWhole } from './body.ts';
import type { RegistryCredentials, SearchResult } from './contract.ts';
import { isTransient, registryFailure, statusOf } from './failures.ts';
import { searchHost } from './hosts.ts';
import type { RepositoryTools } from './repository.ts';
import { retrying } from './retry.ts';
import { Session } from './session.ts';

/** Asks `/v1/search`, which Docker Hub has and registries by the distribution-spec have not. */
export async function search(
  tools: RepositoryTools,
  domain: string,
  query: { term: string; limit: number },
  options: { credentials: RegistryCredentials; signal: AbortSignal },
): Promise<SearchResult[]> {
  const { signal } = options;
  const { limits } = tools;
  const host = searchHost(domain);
  const endpoint = host === domain ? await tools.endpoints.registry(domain, signal) : tools.endpoints.known(host);
  const session = new Session({
    ...tools,
    endpoint,
    authorizer: new Authorizer(endpoint, options.credentials, tools.tokens),
    scopes: ['registry:catalog:search'],
    operation: 'other',
  });
  const target = new URL('v1/search', endpoint.base);
  target.searchParams.set('q', query.term);
  target.searchParams.set('n', String(query.limit));
  const ask = async (): Promise<Buffer> => {
    const response = await session.expect({ method: 'GET', target, signal }, [200]);
    const tooLong = (): EngineError => noSearch(domain, 'its answer is too long');
    return await readWhole(response, { capBytes: limits.searchBytes, limits, tooLong });
  };
  try {
    return decodeResults(domain, await retrying(ask, { limits, signal }));
  } catch (error) {
    const status = statusOf(error);
    if (isTransient(error) || status === undefined || ![400, 404, 405, 501].includes(status)) throw error;
    throw noSearch(domain, `unexpected status code ${status}`);
  }
}

function noSearch(domain: string, why: string): EngineError {
  return registryFailure('notFound', 'NO_SEARCH', `registry ${domain} cannot be searched: ${why}`);
}

function decodeResults(domain: string, body: Buffer): SearchResult[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw noSearch(domain, 'its answer is not JSON');
  }
  const results: unknown =
    typeof value === 'object' && value !== null && 'results' in value ? value.results : undefined;
  if (!Array.isArray(results)) throw noSearch(domain, 'its answer has no results');
  return results.flatMap((result: unknown) => decodeResult(result));
}

function decodeResult(result: unknown): SearchResult[] {
  if (typeof result !== 'object' || result === null) return [];
  const fields = new Map<string, unknown>(Object.entries(result));
  const name = fields.get('name');
  if (typeof name !== 'string') return [];
  const description = fields.get('description');
  const stars = fields.get('star_count');
  return [
    {
      name,
      description: typeof description === 'string' ? description : '',
      star_count: typeof stars === 'number' ? stars : 0,
      is_official: fields.get('is_official') === true,
      is_automated: fields.get('is_automated') === true,
    },
  ];
}
