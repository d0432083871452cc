import { answer, type QueryType, type Route, type RouteDoc, unbuilt } from '../../route.ts';

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Build', summary, statuses, ...rest };
}

const buildQuery: Record<string, QueryType> = {
  dockerfile: 'string',
  t: 'strings',
  extrahosts: 'string',
  remote: 'string',
  q: 'boolean',
  nocache: 'boolean',
  cachefrom: 'string',
  pull: 'boolean',
  rm: 'boolean',
  forcerm: 'boolean',
  memory: 'integer',
  memswap: 'integer',
  cpushares: 'integer',
  cpusetcpus: 'string',
  cpusetmems: 'string',
  cpuperiod: 'integer',
  cpuquota: 'integer',
  cgroupparent: 'string',
  buildargs: 'string',
  shmsize: 'integer',
  squash: 'boolean',
  labels: 'string',
  networkmode: 'string',
  platform: 'string',
  target: 'string',
  outputs: 'string',
  version: 'string',
  securityopt: 'string',
  session: 'string',
  buildid: 'string',
  isolation: 'string',
  ulimits: 'string',
};

const pruneQuery: Record<string, QueryType> = {
  'keep-storage': 'integer',
  'reserved-space': 'integer',
  'max-used-space': 'integer',
  'min-free-space': 'integer',
  all: 'boolean',
  filters: 'filters',
};

/** Rows of Docker's build routes. */
export function unbuiltBuildRoutes(): Route[] {
  return [
    unbuilt('POST', '/build', doc('Build an image', [200], { query: buildQuery, body: 'stream' })),
    // Without builds there is no cache: nothing to remove, and `system prune` of any client goes through.
    answer('POST', '/build/prune', doc('Remove build cache', [200], { since: 31, query: pruneQuery }), (exchange) =>
      exchange.json(200, { CachesDeleted: null, SpaceReclaimed: 0 }),
    ),
    unbuilt('POST', '/build/cancel', doc('Stop a build', [200], { query: { id: 'string' } })),
    unbuilt('POST', '/session', doc('Open a build session', [101], { since: 31 })),
    unbuilt('POST', '/grpc', doc("Open BuildKit's control connection", [101])),
  ];
}
