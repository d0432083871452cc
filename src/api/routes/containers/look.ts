import { encodeJson } from '../../http/json.ts';
import type { Exchange } from '../../http/exchange.ts';
import { sendLines } from '../../http/lines.ts';
import { dropAnnotationsBefore46, inspectForVersion } from '../../versions/containers.ts';
import type { ContainersBackend, Filters } from './backend.ts';
import { idOf } from './lifecycle.ts';

/** The parameters `since` and `before` are older spellings of the filters. */
function listFilters(exchange: Exchange): Filters {
  const filters = new Map(exchange.query.filters());
  for (const name of ['since', 'before']) {
    const value = exchange.query.text(name);
    if (value !== '' && !filters.has(name)) filters.set(name, [value]);
  }
  return filters;
}

export async function list(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const { query, version } = exchange;
  const rows = await backend.list({
    all: query.flag('all'),
    limit: query.integer('limit') ?? 0,
    size: query.flag('size'),
    filters: listFilters(exchange),
  });
  exchange.json(200, dropAnnotationsBefore46(version, rows));
}

export async function inspect(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const container = await backend.inspect(idOf(exchange), { size: exchange.query.flag('size') });
  exchange.json(200, inspectForVersion(exchange.version, container));
}

export async function top(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  exchange.json(200, await backend.top(idOf(exchange), exchange.query.text('ps_args')));
}

export async function changes(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  exchange.json(200, await backend.changes(idOf(exchange)));
}

export async function exportFiles(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await exchange.pipe('application/octet-stream', await backend.export(idOf(exchange), exchange.signal));
}

export async function stats(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal } = exchange;
  const stream = query.flag('stream', true);
  // The parameter came with 1.41.
  const oneShot = version >= 41 && query.flag('one-shot');
  const samples = backend.stats(idOf(exchange), { stream, oneShot, signal });
  await sendLines(exchange, samples, { encode: encodeJson, lineEnd: '\n', headFirst: false });
}
