import { createHash } from 'node:crypto';
import { createWriteStream, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '#errors';

export interface Download {
  /** Its name in the folder. */
  readonly name: string;
  /** `sha256:…` of the content. */
  readonly digest: string;
  readonly contentType: string;
}

/** As Docker has it for what comes from the network. */
const MODE = 0o600;
const UNNAMED = 'download';
const MAX_NAME_BYTES = 255;

/**
 * Downloads a file into a folder, named by its address or by what the server calls it, with the server's time.
 *
 * @param checksum - `sha256:…` and the like that must come out; empty for any.
 * @throws invalidArgument with Docker's text for another content; unavailable for what does not answer with 200.
 */
export async function download(
  url: string,
  folder: string,
  { checksum, signal }: { checksum: string; signal: AbortSignal },
): Promise<Download> {
  const response = await get(url, signal);
  const name = fileName(response.headers.get('content-disposition'), response.url || url);
  const path = join(folder, name);
  const algorithm = checksum.split(':')[0] ?? '';
  const hashes = [createHash('sha256'), createHash(algorithm === '' ? 'sha256' : algorithm)];
  const source = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
  await pipeline(
    source,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        for (const hash of hashes) hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { mode: MODE, flags: 'wx' }),
    { signal },
  );
  const [digest = '', checked = ''] = hashes.map((hash) => hash.digest('hex'));
  if (checksum !== '' && checksum !== `${algorithm}:${checked}`) {
    throw new EngineError(
      'invalidArgument',
      'CHECKSUM_MISMATCH',
      `digest mismatch ${algorithm}:${checked}: ${checksum}`,
    );
  }
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  const seconds = Number.isNaN(modified) ? 0 : modified / 1000;
  utimesSync(path, seconds, seconds);
  return { name, digest: `sha256:${digest}`, contentType: response.headers.get('content-type') ?? '' };
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal, headers: { 'Accept-Encoding': 'identity' } });
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new EngineError('unavailable', 'DOWNLOAD_FAILED', `failed to GET ${withoutSecrets(url)}: ${why}`, {
      cause: error,
    });
  }
  if (response.ok) return response;
  await response.body?.cancel();
  throw new EngineError(
    response.status === 404 ? 'notFound' : 'unavailable',
    'DOWNLOAD_REFUSED',
    `failed to GET ${withoutSecrets(url)}: invalid response status ${response.status}`,
  );
}

/** The address without user and password. */
function withoutSecrets(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
}

function fileName(disposition: string | null, url: string): string {
  const given = /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1] ?? '';
  for (const name of [given, decode(basename(new URL(url).pathname))]) {
    const safe = basename(name);
    const isName = safe !== '' && safe !== '.' && safe !== '..' && !safe.includes('\0');
    if (isName && Buffer.byteLength(safe) <= MAX_NAME_BYTES) return safe;
  }
  return UNNAMED;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
