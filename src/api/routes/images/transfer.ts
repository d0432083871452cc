import { EngineError } from '#errors';
import type { ProgressLine } from '#spec';
import { decodePlatform } from '../../decode/platform.ts';
import type { Exchange } from '../../http/exchange.ts';
import { sendLines } from '../../http/lines.ts';
import type { ImagesBackend } from './backend.ts';

/** Answers with Docker's progress lines; a failure on the way becomes the last of them. */
function sendProgress(exchange: Exchange, lines: AsyncIterable<ProgressLine>): Promise<void> {
  return sendLines(exchange, lines, {
    encode: (line) => JSON.stringify(line),
    lineEnd: '\r\n',
    headFirst: false,
    encodeFailure: (message) => JSON.stringify({ errorDetail: { message }, error: message }),
  });
}

/** The parameter came with 1.48, once per request until 1.51. */
function onePlatform({ query, version }: Exchange): string {
  if (version < 48) return '';
  const given = query.texts('platform');
  if (given.length > 1) {
    throw new EngineError(
      'invalidArgument',
      'SEVERAL_PLATFORMS',
      'multiple platform parameters are not supported in this API version; use API version 1.52 or later',
    );
  }
  return decodePlatform(given[0] ?? '');
}

function header(exchange: Exchange, name: string): string {
  const value = exchange.headers[name];
  return typeof value === 'string' ? value : '';
}

/** Pulls with `fromImage`, imports with `fromSrc`. */
export async function create(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal } = exchange;
  // The parameter came with 1.32.
  const platform = version >= 32 ? query.text('platform') : '';
  const image = query.text('fromImage');
  if (image !== '') {
    // "pull -a" of old clients sends the name with a colon behind it.
    const ref = image.endsWith(':') ? image.slice(0, -1) : image;
    const registryAuth = header(exchange, 'x-registry-auth');
    await sendProgress(exchange, backend.pull({ ref, tag: query.text('tag'), platform, registryAuth, signal }));
    return;
  }
  const source = query.text('fromSrc');
  const lines = backend.import({
    source,
    body: exchange.body,
    repo: query.text('repo'),
    tag: query.text('tag'),
    message: query.text('message') || `Imported from ${source}`,
    changes: query.texts('changes'),
    platform,
    signal,
  });
  await sendProgress(exchange, lines);
}

export async function load(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, body, signal } = exchange;
  const platform = onePlatform(exchange);
  await sendProgress(exchange, backend.load(body, { quiet: query.flag('quiet', true), platform, signal }));
}

export async function save(backend: ImagesBackend, exchange: Exchange, names: string[]): Promise<void> {
  const platform = onePlatform(exchange);
  await exchange.pipe('application/x-tar', await backend.save(names, { platform, signal: exchange.signal }));
}
