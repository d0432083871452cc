import { EngineError } from '#errors';
import type { EventMessage } from '#spec';
import type { Exchange } from '../../http/exchange.ts';
import { encodeJson } from '../../http/json.ts';
import { sendLines } from '../../http/lines.ts';
import { answer, type Route, type RouteDoc, unbuilt } from '../../route.ts';
import { diskUsageForVersion, eventForVersion, infoForVersion } from '../../versions/system.ts';
import type { SystemBackend } from './backend.ts';
import { versionAnswer } from './version-answer.ts';

/** `1` tells clients to build with the classic endpoint, the only one a build could use here. */
const pingHeaders = [
  'Cache-Control',
  'no-cache, no-store, must-revalidate',
  'Pragma',
  'no-cache',
  'Builder-Version',
  '1',
  'Swarm',
  'inactive',
];

const diskUsageTypes = new Set(['container', 'image', 'volume', 'build-cache']);

async function diskUsage(backend: SystemBackend, exchange: Exchange): Promise<void> {
  // The parameter came with 1.42.
  const types = exchange.version >= 42 ? exchange.query.texts('type') : [];
  const unknown = types.find((type) => !diskUsageTypes.has(type));
  if (unknown !== undefined) {
    throw new EngineError('invalidArgument', 'UNKNOWN_OBJECT_TYPE', `unknown object type: ${unknown}`);
  }
  exchange.json(200, diskUsageForVersion(exchange.version, await backend.diskUsage(types)));
}

async function* shapedEvents(version: number, events: AsyncIterable<EventMessage>): AsyncGenerator<EventMessage> {
  for await (const event of events) {
    const shaped = eventForVersion(version, event);
    if (shaped) yield shaped;
  }
}

async function events(backend: SystemBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal } = exchange;
  const since = query.time('since');
  const until = query.time('until');
  if (since !== undefined && until !== undefined && until < since) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_TIME_RANGE',
      `\`since\` time (${query.text('since')}) cannot be after \`until\` time (${query.text('until')})`,
    );
  }
  const messages = backend.events({ since, until, filters: query.filters(), signal });
  await sendLines(exchange, shapedEvents(version, messages), { encode: encodeJson, lineEnd: '\n', headFirst: true });
}

function doc(summary: string, rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'System', summary, statuses: [200], ...rest };
}

/** Routes that need nothing of the engine. */
export function pingRoutes(): Route[] {
  const ok = doc('Ask whether the engine serves', { answer: 'text' });
  return [
    answer('GET', '/_ping', ok, (exchange) => exchange.text(200, 'text/plain; charset=utf-8', 'OK', pingHeaders)),
    answer('HEAD', '/_ping', ok, (exchange) =>
      exchange.empty(200, ['Content-Type', 'text/plain; charset=utf-8', ...pingHeaders]),
    ),
    answer('OPTIONS', '/{anyroute}', doc('Answered empty for every path'), (exchange) => exchange.empty(200)),
  ];
}

/** Rows of the system routes. */
export function systemRoutes(backend: SystemBackend): Route[] {
  return [
    answer('GET', '/version', doc('Read versions of engine and API', { answer: 'Version' }), (exchange) =>
      exchange.json(200, versionAnswer(backend.version())),
    ),
    answer('GET', '/info', doc('Read facts about engine and host', { answer: 'Info' }), async (exchange) =>
      exchange.json(200, infoForVersion(exchange.version, await backend.info())),
    ),
    answer(
      'GET',
      '/events',
      doc('Follow events', {
        query: { since: 'time', until: 'time', filters: 'filters' },
        answer: 'EventMessage lines',
      }),
      (exchange) => events(backend, exchange),
    ),
    answer(
      'GET',
      '/system/df',
      doc('Read what is used on disk', { since: 25, query: { type: 'strings' }, answer: 'DiskUsage' }),
      (exchange) => diskUsage(backend, exchange),
    ),
    answer(
      'GET',
      '/berth/fsck',
      doc("Verify the store (Berth's own)", { tag: 'Berth', answer: 'FsckReport' }),
      async (exchange) => exchange.json(200, await backend.fsck()),
    ),
  ];
}

/** Rows of Docker's system routes that have no backend yet. */
export function unbuiltSystemRoutes(): Route[] {
  const profile = ['', 'cmdline', 'profile', 'symbol', 'trace', '{name}'];
  return [
    unbuilt('GET', '/debug/vars', doc("Read the runtime's variables")),
    ...profile.map((name) => unbuilt('GET', `/debug/pprof/${name}`, doc("Read the runtime's profiles"))),
  ];
}
