import { decodeVolumeCreate } from '../../decode/requests.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import type { VolumesBackend } from './backend.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Volume', summary, statuses, ...rest };
}

function nameOf(exchange: Exchange): string {
  return exchange.params['name'] ?? '';
}

/** Before API 1.42 a prune took named volumes too. */
function pruneFilters(exchange: Exchange): ReadonlyMap<string, readonly string[]> {
  const filters = exchange.query.filters();
  return exchange.version < 42 ? new Map([...filters, ['all', ['true']]]) : filters;
}

/** Rows of the volume routes. */
export function volumeRoutes(backend: VolumesBackend): Route[] {
  return [
    answer(
      'GET',
      '/volumes',
      doc('List volumes', [200], { query: { filters: 'filters' }, answer: 'VolumeListResponse' }),
      async (exchange) => exchange.json(200, await backend.list(exchange.query.filters())),
    ),
    answer(
      'GET',
      '/volumes/{name}',
      doc('Inspect a volume', [200, 404], { answer: 'VolumeInspect' }),
      async (exchange) => exchange.json(200, await backend.inspect(nameOf(exchange))),
    ),
    answer(
      'POST',
      '/volumes/create',
      doc('Create a volume', [201], { body: 'VolumeCreateRequest', answer: 'VolumeInspect' }),
      async (exchange) => exchange.json(201, await backend.create(decodeVolumeCreate(await readJsonBody(exchange)))),
    ),
    answer(
      'DELETE',
      '/volumes/{name}',
      doc('Remove a volume', [204, 404, 409], { query: { force: 'boolean' } }),
      async (exchange) => {
        await backend.remove(nameOf(exchange), { force: exchange.query.flag('force') });
        exchange.empty(204);
      },
    ),
    answer(
      'POST',
      '/volumes/prune',
      doc('Remove unused volumes', [200], { query: { filters: 'filters' } }),
      async (exchange) => exchange.json(200, await backend.prune(pruneFilters(exchange))),
    ),
  ];
}

/** Rows of Docker's volume routes that have no backend yet. */
export function unbuiltVolumeRoutes(): Route[] {
  return [
    unbuilt(
      'PUT',
      '/volumes/{name}',
      doc('Update a cluster volume', [200, 404, 503], { query: { version: 'integer' } }),
    ),
  ];
}
