import type { NetworkCreateRequest } from '#spec';
import { decodeNetworkConnect, decodeNetworkCreate, decodeNetworkDisconnect } from '../../decode/requests.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type Route, type RouteDoc } from '../../route.ts';
import type { NetworksBackend } from './backend.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Network', summary, statuses, ...rest };
}

function refOf(exchange: Exchange): string {
  return exchange.params['id'] ?? '';
}

/** `EnableIPv4` came with API 1.48. */
function ipv4Always(version: number, request: NetworkCreateRequest): NetworkCreateRequest {
  if (version >= 48) return request;
  const { EnableIPv4: _unknown, ...rest } = request;
  return rest;
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
    answer('POST', '/networks/repair', doc('Repair networks (Berth only)', [204]), async (exchange) => {
      await backend.repair();
      exchange.empty(204);
    }),
    answer(
      'GET',
      '/networks/{id}',
      doc('Inspect a network', [200, 404], {
        query: { verbose: 'boolean', scope: 'string' },
        answer: 'NetworkInspect',
      }),
      async (exchange) => {
        const options = { verbose: exchange.query.flag('verbose'), scope: exchange.query.text('scope') };
        exchange.json(200, await backend.inspect(refOf(exchange), options));
      },
    ),
    ...changeRoutes(backend),
  ];
}

function changeRoutes(backend: NetworksBackend): Route[] {
  return [
    answer(
      'POST',
      '/networks/create',
      doc('Create a network', [201, 400, 403, 404, 409], { body: 'NetworkCreateRequest' }),
      async (exchange) => {
        const request = decodeNetworkCreate(await readJsonBody(exchange));
        exchange.json(201, await backend.create(ipv4Always(exchange.version, request)));
      },
    ),
    answer('DELETE', '/networks/{id}', doc('Remove a network', [204, 403, 404]), async (exchange) => {
      await backend.remove(refOf(exchange));
      exchange.empty(204);
    }),
    answer(
      'POST',
      '/networks/{id}/connect',
      doc('Connect a container', [200, 400, 403, 404], { body: 'NetworkConnectRequest' }),
      async (exchange) => {
        await backend.connect(refOf(exchange), decodeNetworkConnect(await readJsonBody(exchange)));
        exchange.empty(200);
      },
    ),
    answer(
      'POST',
      '/networks/{id}/disconnect',
      doc('Disconnect a container', [200, 403, 404], { body: 'NetworkDisconnectRequest' }),
      async (exchange) => {
        await backend.disconnect(refOf(exchange), decodeNetworkDisconnect(await readJsonBody(exchange)));
        exchange.empty(200);
      },
    ),
  ];
}
