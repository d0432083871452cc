import { decodeAuthConfig, decodeAuthHeader } from '../../decode/auth-config.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route } from '../../route.ts';
import type { RegistriesBackend } from './backend.ts';
import { push } from './transfer.ts';

async function login(backend: RegistriesBackend, exchange: Exchange): Promise<void> {
  const config = decodeAuthConfig(await readJsonBody(exchange));
  exchange.json(200, await backend.login({ ...config, signal: exchange.signal }));
}

async function search(backend: RegistriesBackend, exchange: Exchange): Promise<void> {
  const { query, headers, signal } = exchange;
  const rows = await backend.search({
    term: query.text('term'),
    limit: query.integer('limit'),
    filters: query.filters(),
    credentials: decodeAuthHeader(headers['x-registry-auth']),
    signal,
  });
  exchange.json(200, rows);
}

async function inspect(backend: RegistriesBackend, exchange: Exchange): Promise<void> {
  const credentials = decodeAuthHeader(exchange.headers['x-registry-auth']);
  const name = exchange.params['name'] ?? '';
  exchange.json(200, await backend.inspect(name, { credentials, signal: exchange.signal }));
}

/** Rows of the routes that lead to registries, `POST /images/create` aside. */
export function registryRoutes(backend: RegistriesBackend): Route[] {
  return [
    answer(
      'POST',
      '/images/{name}/push',
      {
        tag: 'Image',
        summary: 'Push an image',
        statuses: [200, 404],
        query: { tag: 'string', platform: 'string' },
        answer: 'ProgressLine lines',
      },
      (exchange) => push(backend, exchange),
    ),
    answer(
      'GET',
      '/images/search',
      {
        tag: 'Image',
        summary: 'Search images in a registry',
        statuses: [200],
        query: { term: 'string', limit: 'integer', filters: 'filters' },
        answer: 'SearchRow[]',
      },
      (exchange) => search(backend, exchange),
    ),
    answer(
      'POST',
      '/auth',
      {
        tag: 'System',
        summary: "Check a registry's credentials",
        statuses: [200, 401],
        body: 'AuthConfig',
        answer: 'AuthAnswer',
      },
      (exchange) => login(backend, exchange),
    ),
    answer(
      'GET',
      '/distribution/{name}/json',
      {
        tag: 'Distribution',
        summary: 'Read what a registry has under a name',
        statuses: [200, 401, 404],
        since: 30,
        answer: 'DistributionInspect',
      },
      (exchange) => inspect(backend, exchange),
    ),
  ];
}
