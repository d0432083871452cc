import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import type { NetworksBackend } from './backend.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Network', summary, statuses, ...rest };
}

/** Rows of the network routes. */
export function networkRoutes(backend: NetworksBackend): Route[] {
  const list = async (exchange: Exchange): Promise<void> =>
    exchange.json(200, await backend.list(exchange.query.filters()));
  const listDoc = doc('List networks', [200], { query: { filters: 'filters' }, answer: 'NetworkInspect[]' });
  return [
    answer('GET', '/networks', listDoc, list),
    answer('GET', '/networks/', listDoc, list),
    answer(
      'POST',
      '/networks/prune',
      doc('Remove unused networks', [200], { query: { filters: 'filters' } }),
      async (exchange) => exchange.json(200, await backend.prune(exchange.query.filters())),
    ),
    answer(
      'GET',
      '/networks/{id}',
      doc('Inspect a network', [200, 404], {
        query: { verbose: 'boolean', scope: 'string' },
        answer: 'NetworkInspect',
      }),
      async (exchange) => {
        const options = { verbose: exchange.query.flag('verbose'), scope: exchange.query.text('scope') };
        exchange.json(200, await backend.inspect(exchange.params['id'] ?? '', options));
      },
    ),
  ];
}

/** Rows of Docker's network routes that have no backend yet. */
export function unbuiltNetworkRoutes(): Route[] {
  return [
    unbuilt('DELETE', '/networks/{id}', doc('Remove a network', [204, 403, 404])),
    unbuilt(
      'POST',
      '/networks/create',
      doc('Create a network', [201, 403, 404, 409], { body: 'NetworkCreateRequest' }),
    ),
    unbuilt(
      'POST',
      '/networks/{id}/connect',
      doc('Connect a container', [200, 403, 404], { body: 'NetworkConnectRequest' }),
    ),
    unbuilt(
      'POST',
      '/networks/{id}/disconnect',
      doc('Disconnect a container', [200, 403, 404], { body: 'NetworkDisconnectRequest' }),
    ),
  ];
}
