import { type Method, type QueryType, type Route, unbuilt } from '../../route.ts';

type Row = readonly [Method, string, string, number, Record<string, QueryType>?];

const rows: readonly Row[] = [
  ['GET', '/plugins', 'List plugins', 200, { filters: 'filters' }],
  ['GET', '/plugins/privileges', "Read a plugin's privileges", 200, { remote: 'string' }],
  ['POST', '/plugins/pull', 'Install a plugin', 204, { remote: 'string', name: 'string' }],
  ['GET', '/plugins/{name}/json', 'Inspect a plugin', 200],
  ['DELETE', '/plugins/{name}', 'Remove a plugin', 200, { force: 'boolean' }],
  ['POST', '/plugins/{name}/enable', 'Enable a plugin', 200, { timeout: 'integer' }],
  ['POST', '/plugins/{name}/disable', 'Disable a plugin', 200, { force: 'boolean' }],
  ['POST', '/plugins/{name}/upgrade', 'Upgrade a plugin', 204, { remote: 'string' }],
  ['POST', '/plugins/create', 'Make a plugin of a tar', 204, { name: 'string' }],
  ['POST', '/plugins/{name}/push', 'Push a plugin', 200],
  ['POST', '/plugins/{name}/set', "Change a plugin's settings", 204],
];

/** Rows of Docker's plugin routes. */
export function unbuiltPluginRoutes(): Route[] {
  return rows.map(([method, path, summary, status, query = {}]) =>
    unbuilt(method, path, { tag: 'Plugin', summary, since: 25, statuses: [status, 404], query }),
  );
}
