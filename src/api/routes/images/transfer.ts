import { EngineError } from '#errors';
import type { ProgressLine } from '#spec';
import { decodePlatform } from '../../decode/platform.ts';
import type { Exchange } from '../../http/exchange.ts';
import { sendLines } from '../../http/lines.ts';
import type { ImagesBackend } from './backend.ts';

/** Go's encoder writes these as escapes, so that JSON may stand in HTML. */
const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function encodeLine(line: unknown): string {
  return JSON.stringify(line).replaceAll(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
}

/** Answers with Docker's progress lines; a failure on the way becomes the last of them. */
export function sendProgress(exchange: Exchange, lines: AsyncIterable<ProgressLine>): Promise<void> {
  return sendLines(exchange, lines, {
    encode: encodeLine,
    lineEnd: '\r\n',
    headFirst: false,
    encodeFailure: (message) => encodeLine({ errorDetail: { message }, error: message }),
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

/** Imports a root filesystem. */
export async function importImage(backend: ImagesBackend, exchange: Exchange): Promise<void> {
  const { query, version, signal } = exchange;
  const source = query.text('fromSrc');
  const lines = backend.import({
    source,
    body: exchange.body,
    repo: query.text('repo'),
    tag: query.text('tag'),
    message: query.text('message') || `Imported from ${source}`,
    changes: query.texts('changes'),
    // The parameter came with 1.32.
    platform: version >= 32 ? query.text('platform') : '',
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
