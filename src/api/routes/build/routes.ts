import { EngineError } from '#errors';
import type { Exchange } from '../../http/exchange.ts';
import { answer, type QueryType, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import { sendProgress } from '../images/transfer.ts';
import type { BuildBackend, PruneBuildCacheOptions } from './backend.ts';
import { decodeBuild } from './decode-build.ts';

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
export function buildRoutes(backend: BuildBackend): Route[] {
  return [
    answer(
      'POST',
      '/build',
      doc('Build an image', [200], { query: buildQuery, body: 'stream', answer: 'ProgressLine lines' }),
      (exchange) => sendProgress(exchange, backend.build(decodeBuild(exchange))),
    ),
    answer(
      'POST',
      '/build/prune',
      doc('Remove build cache', [200], { since: 31, query: pruneQuery, answer: 'PruneBuildCacheResponse' }),
      async (exchange) => exchange.json(200, await backend.prune(decodePrune(exchange))),
    ),
    answer('POST', '/build/cancel', doc('Stop a build', [200, 404], { query: { id: 'string' } }), (exchange) =>
      cancel(backend, exchange),
    ),
  ];
}

/** Rows that come with BuildKit's protocol. */
export function unbuiltBuildRoutes(): Route[] {
  return [
    unbuilt('POST', '/session', doc('Open a build session', [101], { since: 31 })),
    unbuilt('POST', '/grpc', doc("Open BuildKit's control connection", [101])),
  ];
}

function cancel(backend: BuildBackend, exchange: Exchange): void {
  const id = exchange.query.text('id');
  if (id === '') throw new EngineError('invalidArgument', 'NO_BUILD_ID', 'build ID not provided');
  backend.cancel(id);
  exchange.empty(200);
}

/** Before 1.48 `keep-storage` was the only limit. */
function decodePrune({ query, version }: Exchange): PruneBuildCacheOptions {
  const bytes = (name: string): number | undefined => query.integer(name) || undefined;
  return {
    all: query.flag('all'),
    filters: query.filters(),
    keepBytes: (version >= 48 ? bytes('reserved-space') : undefined) ?? bytes('keep-storage'),
    maxUsedBytes: version >= 48 ? bytes('max-used-space') : undefined,
    minFreeBytes: version >= 48 ? bytes('min-free-space') : undefined,
  };
}
