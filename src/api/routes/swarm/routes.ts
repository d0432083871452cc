import { type Method, type QueryType, type Route, unbuilt } from '../../route.ts';

type Row = readonly [string, Method, string, string, number, Record<string, QueryType>?];

const rotation: Record<string, QueryType> = {
  version: 'integer',
  rotateWorkerToken: 'boolean',
  rotateManagerToken: 'boolean',
  rotateManagerUnlockKey: 'boolean',
};

const logQuery: Record<string, QueryType> = {
  details: 'boolean',
  follow: 'boolean',
  stdout: 'boolean',
  stderr: 'boolean',
  since: 'time',
  timestamps: 'boolean',
  tail: 'string',
};

const rows: readonly Row[] = [
  ['Swarm', 'GET', '/swarm', 'Inspect the swarm', 200],
  ['Swarm', 'POST', '/swarm/init', 'Begin a swarm', 200],
  ['Swarm', 'POST', '/swarm/join', 'Join a swarm', 200],
  ['Swarm', 'POST', '/swarm/leave', 'Leave the swarm', 200, { force: 'boolean' }],
  ['Swarm', 'POST', '/swarm/update', "Change the swarm's settings", 200, rotation],
  ['Swarm', 'GET', '/swarm/unlockkey', 'Read the unlock key', 200],
  ['Swarm', 'POST', '/swarm/unlock', 'Unlock a manager', 200],
  ['Node', 'GET', '/nodes', 'List nodes', 200, { filters: 'filters' }],
  ['Node', 'GET', '/nodes/{id}', 'Inspect a node', 200],
  ['Node', 'DELETE', '/nodes/{id}', 'Remove a node', 200, { force: 'boolean' }],
  ['Node', 'POST', '/nodes/{id}/update', 'Change a node', 200, { version: 'integer' }],
  ['Service', 'GET', '/services', 'List services', 200, { filters: 'filters', status: 'boolean' }],
  ['Service', 'POST', '/services/create', 'Create a service', 201],
  ['Service', 'GET', '/services/{id}', 'Inspect a service', 200, { insertDefaults: 'boolean' }],
  ['Service', 'DELETE', '/services/{id}', 'Remove a service', 200],
  [
    'Service',
    'POST',
    '/services/{id}/update',
    'Change a service',
    200,
    { version: 'integer', registryAuthFrom: 'string', rollback: 'string' },
  ],
  ['Service', 'GET', '/services/{id}/logs', 'Read what a service printed', 200, logQuery],
  ['Task', 'GET', '/tasks', 'List tasks', 200, { filters: 'filters' }],
  ['Task', 'GET', '/tasks/{id}', 'Inspect a task', 200],
  ['Task', 'GET', '/tasks/{id}/logs', 'Read what a task printed', 200, logQuery],
  ['Secret', 'GET', '/secrets', 'List secrets', 200, { filters: 'filters' }],
  ['Secret', 'POST', '/secrets/create', 'Create a secret', 201],
  ['Secret', 'GET', '/secrets/{id}', 'Inspect a secret', 200],
  ['Secret', 'DELETE', '/secrets/{id}', 'Remove a secret', 204],
  ['Secret', 'POST', '/secrets/{id}/update', 'Change a secret', 200, { version: 'integer' }],
  ['Config', 'GET', '/configs', 'List configs', 200, { filters: 'filters' }],
  ['Config', 'POST', '/configs/create', 'Create a config', 201],
  ['Config', 'GET', '/configs/{id}', 'Inspect a config', 200],
  ['Config', 'DELETE', '/configs/{id}', 'Remove a config', 204],
  ['Config', 'POST', '/configs/{id}/update', 'Change a config', 200, { version: 'integer' }],
];

/** Rows of Docker's cluster routes. */
export function unbuiltSwarmRoutes(): Route[] {
  return rows.map(([tag, method, path, summary, status, query = {}]) =>
    unbuilt(method, path, { tag, summary, statuses: [status, 503], query }),
  );
}
