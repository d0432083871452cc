import { EngineError } from '#errors';
import { answer, type Method, type QueryType, type Route, unbuilt } from '../../route.ts';

type Row = readonly [Method, string, string, number, Record<string, QueryType>?];

const rows: readonly Row[] = [
  ['GET', '/plugins/privileges', "Read a plugin's privileges", 200, { remote: 'string' }],
  ['POST', '/plugins/pull', 'Install a plugin', 204, { remote: 'string', name: 'string' }],
  ['DELETE', '/plugins/{name}', 'Remove a plugin', 200, { force: 'boolean' }],
  ['POST', '/plugins/{name}/enable', 'Enable a plugin', 200, { timeout: 'integer' }],
  ['POST', '/plugins/{name}/disable', 'Disable a plugin', 200, { force: 'boolean' }],
  ['POST', '/plugins/{name}/upgrade', 'Upgrade a plugin', 204, { remote: 'string' }],
  ['POST', '/plugins/create', 'Make a plugin of a tar', 204, { name: 'string' }],
  ['POST', '/plugins/{name}/push', 'Push a plugin', 200],
  ['POST', '/plugins/{name}/set', "Change a plugin's settings", 204],
];

/** While plugins cannot be installed there are none: clients that look for one by name go on to other kinds of objects. */
export function pluginRoutes(): Route[] {
  const doc = (summary: string, statuses: number[]): Route['doc'] => ({ tag: 'Plugin', summary, since: 25, statuses });
  return [
    answer('GET', '/plugins', { ...doc('List plugins', [200]), query: { filters: 'filters' } }, (exchange) =>
      exchange.json(200, []),
    ),
    answer('GET', '/plugins/{name}/json', doc('Inspect a plugin', [200, 404]), (exchange) => {
      const name = exchange.params['name'] ?? '';
      throw new EngineError('notFound', 'NO_SUCH_PLUGIN', `plugin "${name}" not found`);
    }),
  ];
}

/** Rows of Docker's plugin routes that are not built. */
export function unbuiltPluginRoutes(): Route[] {
  return rows.map(([method, path, summary, status, query = {}]) =>
    unbuilt(method, path, { tag: 'Plugin', summary, since: 25, statuses: [status, 404], query }),
  );
}
