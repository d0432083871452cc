import { answer, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import type { VolumesBackend } from './backend.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Volume', summary, statuses, ...rest };
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
      async (exchange) => exchange.json(200, await backend.inspect(exchange.params['name'] ?? '')),
    ),
  ];
}

/** Rows of Docker's volume routes that have no backend yet. */
export function unbuiltVolumeRoutes(): Route[] {
  return [
    unbuilt('POST', '/volumes/create', doc('Create a volume', [201], { body: 'VolumeCreateRequest' })),
    unbuilt(
      'PUT',
      '/volumes/{name}',
      doc('Update a cluster volume', [200, 404, 503], { query: { version: 'integer' } }),
    ),
    unbuilt('DELETE', '/volumes/{name}', doc('Remove a volume', [204, 404, 409], { query: { force: 'boolean' } })),
    unbuilt('POST', '/volumes/prune', doc('Remove unused volumes', [200], { query: { filters: 'filters' } })),
  ];
}
