import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { EngineError } from '#errors';
import {
  familiarReference,
  formatReference,
  hostPlatform,
  isTag,
  parseReference,
  withDefaultTag,
  type oci,
  type ProgressLine,
} from '#spec';
import type { Store } from '#store';
import { applyChanges } from './changes.ts';
import { parsePlatformOption, type Catalog } from './catalog.ts';
import { emitById, imageAttributes, type EmitImageEvent } from './events.ts';
import { addLayeredImage } from './new-layer-image.ts';
import { layerProgress } from './progress.ts';
import type { Registrar } from './registrar.ts';
import { requestChunks } from './request-body.ts';

export interface ImportParts {
  store: Store;
  catalog: Catalog;
  registrar: Registrar;
  emit: EmitImageEvent;
}

export interface ImportRequest {
  /** `-`: from the body; else a URL. */
  source: string;
  body: Readable;
  /** Repository, possibly with a tag; empty for none. */
  repo: string;
  tag: string;
  message: string;
  /** Dockerfile instructions. */
  changes: readonly string[];
  platform: string;
}

type Report = (line: ProgressLine) => void;

const PROGRESS_BYTES = 512 * 1024;

/**
 * The full name that `repo` and `tag` of a request mean; undefined when both are empty.
 *
 * @throws {@link EngineError} invalidArgument with Docker's texts.
 */
export function parseTarget(repo: string, tag: string): string | undefined {
  if (repo === '') return undefined;
  const reference = parseReference(repo);
  if (reference.digest !== undefined) {
    throw new EngineError('invalidArgument', 'INVALID_REFERENCE', 'cannot import digest reference');
  }
  if (tag === '') return formatReference(withDefaultTag(reference));
  if (!isTag(tag)) throw new EngineError('invalidArgument', 'INVALID_TAG', 'invalid tag format');
  return formatReference({ ...reference, tag });
}

/** `docker import`: a root filesystem becomes an image of one layer. */
export async function importImage(
  parts: ImportParts,
  request: ImportRequest,
  signal: AbortSignal,
  report: Report,
): Promise<void> {
  const { store, registrar, catalog, emit } = parts;
  const target = parseTarget(request.repo, request.tag);
  const platform: oci.Platform = request.platform === '' ? hostPlatform() : parsePlatformOption(request.platform);
  const run = applyChanges({}, request.changes);
  try {
    using lease = store.leases.open();
    const tar = request.source === '-' ? requestChunks(request.body) : download(request.source, signal, report);
    const comment = request.message === '' ? `Imported from ${request.source}` : request.message;
    const references = target === undefined ? [] : [target];
    const image = { tar, parent: undefined, platform, run, author: '', comment, createdBy: '', references };
    const added = await addLayeredImage(store, registrar, image, lease, signal);
    const config = await catalog.config(added.id);
    if (target !== undefined) emit('tag', added.id, imageAttributes(familiarReference(parseReference(target)), config));
    emitById(emit, 'import', added.id, config);
    report({ status: added.id });
  } finally {
    await store.collect();
  }
}

/** Fetches over http or https; a source without a scheme means http, as in Docker. */
async function* download(source: string, signal: AbortSignal, report: Report): AsyncGenerator<Uint8Array> {
  const url = parseUrl(source);
  report({ status: 'Downloading from', id: url.href });
  const response = await request(url, signal);
  if (!response.ok || !response.body) {
    throw new EngineError(
      'invalidArgument',
      'IMPORT_DOWNLOAD_FAILED',
      `failed to GET ${redacted(url)} with status ${response.status} ${response.statusText}`,
    );
  }
  const total = Number(response.headers.get('content-length') ?? 0);
  let current = 0;
  let reported = 0;
  for await (const chunk of Readable.fromWeb(response.body as ReadableStream<Uint8Array>)) {
    current += (chunk as Uint8Array).byteLength;
    if (current - reported >= PROGRESS_BYTES || current === total) {
      reported = current;
      report(layerProgress('Importing', '', current, total));
    }
    yield chunk as Uint8Array;
  }
}

function parseUrl(source: string): URL {
  const url = URL.parse(source.includes('://') ? source : `http://${source}`);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new EngineError(
    'invalidArgument',
    'IMPORT_BAD_URL',
    `invalid import source ${JSON.stringify(source)}: expected - or an http(s) URL`,
  );
}

/** Without the password that a URL may carry. */
function redacted(url: URL): string {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = 'xxxxx';
  return shown.href;
}

async function request(url: URL, signal: AbortSignal): Promise<Response> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  const login = Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString(
    'base64',
  );
  const headers: Record<string, string> = url.username === '' ? {} : { authorization: `Basic ${login}` };
  try {
    return await fetch(bare, { signal, headers });
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new EngineError('unavailable', 'IMPORT_DOWNLOAD_FAILED', `failed to GET ${redacted(url)}: ${reason}`, {
      cause: error,
    });
  }
}
