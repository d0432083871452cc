import { EngineError, findEngineError } from '#errors';
import { decodeContainerCreate, decodeUpdate } from '../../decode/requests.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import { upgradeCreateRequest } from '../../versions/create.ts';
import type { ContainersBackend } from './backend.ts';

/** The value of the path's `{id}`. */
export function idOf(exchange: { params: Readonly<Record<string, string>> }): string {
  return exchange.params['id'] ?? '';
}

export async function create(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const request = decodeContainerCreate(await readJsonBody(exchange));
  const warnings = upgradeCreateRequest(exchange.version, request);
  // The parameter came with 1.41.
  const platform = exchange.version >= 41 ? exchange.query.text('platform') : '';
  const created = await backend.create(request, { name: exchange.query.text('name'), platform });
  exchange.json(201, { Id: created.Id, Warnings: [...created.Warnings, ...warnings] });
}

export async function start(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const length = exchange.headers['content-length'];
  // An empty JSON object is let through, for old clients that always send one.
  if (exchange.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > 7)) {
    throw new EngineError(
      'invalidArgument',
      'START_WITH_BODY',
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    );
  }
  await backend.start(idOf(exchange), { checkpoint: exchange.query.text('checkpoint') });
  exchange.empty(204);
}

/** `signal` came with 1.42. */
function stopOptions(exchange: Exchange): { signal: string; timeoutSeconds: number | undefined } {
  const signal = exchange.version >= 42 ? exchange.query.text('signal') : '';
  return { signal, timeoutSeconds: exchange.query.integer('t') };
}

export async function stop(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await backend.stop(idOf(exchange), stopOptions(exchange));
  exchange.empty(204);
}

export async function restart(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await backend.restart(idOf(exchange), stopOptions(exchange));
  exchange.empty(204);
}

export async function kill(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  try {
    await backend.kill(idOf(exchange), { signal: exchange.query.text('signal') });
  } catch (cause) {
    const known = findEngineError(cause);
    if (!known || known.code === 'INVALID_SIGNAL') throw cause;
    const message = `cannot kill container: ${idOf(exchange)}: ${known.message}`;
    throw new EngineError(known.kind, known.code, message, { cause });
  }
  exchange.empty(204);
}

export async function update(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const changes = decodeUpdate(await readJsonBody(exchange));
  // The limit came with 1.40; zero and below mean unlimited, which is zero for the backend, null being "as it is".
  if (exchange.version < 40) changes.PidsLimit = null;
  if (changes.PidsLimit !== null && changes.PidsLimit < 0) changes.PidsLimit = 0;
  exchange.json(200, await backend.update(idOf(exchange), changes));
}

export async function rename(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await backend.rename(idOf(exchange), exchange.query.text('name'));
  exchange.empty(204);
}

export async function pause(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await backend.pause(idOf(exchange));
  exchange.empty(204);
}

export async function unpause(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  await backend.unpause(idOf(exchange));
  exchange.empty(204);
}

export async function resize(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const height = exchange.query.uint32('h', 'resize height');
  const width = exchange.query.uint32('w', 'resize width');
  await backend.resize(idOf(exchange), { height, width });
  exchange.empty(200);
}

export async function remove(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  await backend.remove(idOf(exchange), {
    force: query.flag('force'),
    volumes: query.flag('v'),
    link: query.flag('link'),
  });
  exchange.empty(204);
}

export async function prune(backend: ContainersBackend, exchange: Exchange): Promise<void> {
  exchange.json(200, await backend.prune(exchange.query.filters()));
}
