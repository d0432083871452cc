import { createReadStream, readdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { detectCompression, unpack } from '#archive';
import { EngineError } from '#errors';
import { RootFiles } from '#runtime';
import { decodeBuildParts, parseIgnoreFile } from '#spec';
import type { Sys } from '#sys';
import type { ContextFolders } from './context-folders.ts';
import { download } from './download.ts';
import { cloneRepository } from './git-clone.ts';
import { isRepository, parseGitUrl } from './git-url.ts';

/** Where a build's context comes from. */
export type ContextSource =
  /** A tar, compressed or not. */
  | { readonly kind: 'archive'; readonly body: Readable }
  /** A repository, an archive, or a Dockerfile alone. */
  | { readonly kind: 'remote'; readonly address: string }
  /** Several parts, of our own client; what is at `address`, unless empty, is the main context. */
  | { readonly kind: 'parts'; readonly body: Readable; readonly address: string };

export interface OpenContext {
  readonly root: string;
  readonly dockerfile: { readonly text: string; readonly name: string };
  /** Patterns of what no instruction finds. */
  readonly ignore: readonly string[];
}

/** All that a build was given. */
export interface OpenContexts extends OpenContext {
  /** Folders of named contexts. */
  readonly named: ReadonlyMap<string, string>;
  /** Names that stand for images. */
  readonly images: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, Buffer>;
}

export interface ContextOptions {
  readonly folders: ContextFolders;
  /** Takes over the folders that are made. */
  readonly open: AsyncDisposableStack;
  /** Path in the context; empty for `Dockerfile`. */
  readonly dockerfile: string;
  readonly keepGitDir: boolean;
  readonly sys: Pick<Sys, 'files'>;
  readonly signal: AbortSignal;
}

const DEFAULT_NAME = 'Dockerfile';
const MAX_DOCKERFILE_BYTES = 16 * 1024 * 1024;
const TAR_MAGIC_OFFSET = 257;

/** Secrets are short; anything else is a mistake. */
const MAX_SECRET_BYTES = 500 * 1024;

/**
 * Puts a build's contexts into folders and reads the Dockerfile.
 *
 * @throws invalidArgument with Docker's texts: for a Dockerfile that is not there or outside, for what is no archive, cut-off ones too.
 */
export async function openContexts(source: ContextSource, options: ContextOptions): Promise<OpenContexts> {
  const rest = {
    named: new Map<string, string>(),
    images: new Map<string, string>(),
    secrets: new Map<string, Buffer>(),
  };
  if (source.kind === 'parts') return await openParts(source, options);
  const root =
    source.kind === 'archive'
      ? await unpackArchive({ stream: source.body }, options)
      : await fetchTree(source.address, options);
  return { ...readContext(root, undefined, options), ...rest };
}

async function openParts(
  { body, address }: Extract<ContextSource, { kind: 'parts' }>,
  options: ContextOptions,
): Promise<OpenContexts> {
  const roots = new Map<string, string>();
  const images = new Map<string, string>();
  const secrets = new Map<string, Buffer>();
  let dockerfile: string | undefined;
  for await (const { header, content } of decodeBuildParts(body)) {
    switch (header.part) {
      case 'secret':
        secrets.set(header.id, await readBounded(content, MAX_SECRET_BYTES, `secret ${header.id}`));
        break;
      case 'dockerfile':
        dockerfile = (await readBounded(content, MAX_DOCKERFILE_BYTES, 'Dockerfile')).toString('utf8');
        break;
      case 'context':
        roots.set(header.name, await unpackArchive({ stream: Readable.from(content) }, options));
        break;
      case 'image':
        images.set(header.name, header.reference);
        break;
      case 'remote':
        roots.set(header.name, await fetchTree(header.address, options));
    }
  }
  const main = address === '' ? roots.get('') : await fetchTree(address, options);
  const root = main ?? (await emptyFolder(options));
  const named = new Map([...roots].filter(([name]) => name !== ''));
  return { ...readContext(root, dockerfile, options), named, images, secrets };
}

async function readBounded(content: AsyncIterable<Buffer>, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of content) {
    total += chunk.length;
    if (total > maxBytes) throw invalid('PART_TOO_LARGE', `${what} is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function emptyFolder({ folders, open }: ContextOptions): Promise<string> {
  return open.use(await folders.create()).path;
}

async function unpackArchive(
  source: { stream: Readable } | { path: string },
  options: ContextOptions,
): Promise<string> {
  const root = await emptyFolder(options);
  await unpack({ source, root, whiteouts: 'literal', signal: options.signal });
  return root;
}

/** A tree that came from an address. A file alone counts as one with a Dockerfile. */
async function fetchTree(address: string, options: ContextOptions): Promise<string> {
  if (isRepository(address)) {
    return (await cloneRepository(parseGitUrl(address), await emptyFolder(options), options)).root;
  }
  if (!/^https?:\/\//i.test(address)) {
    throw invalid('REMOTE_UNKNOWN', `remoteURL (${address}) could not be recognized as URL`);
  }
  const { signal } = options;
  const folder = await emptyFolder(options);
  const path = join(folder, (await download(address, folder, { checksum: '', signal })).name);
  if (await isArchive(path)) return await unpackArchive({ path }, options);
  await rename(path, join(folder, DEFAULT_NAME));
  return folder;
}

async function isArchive(path: string): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: 511 })) chunks.push(chunk as Buffer);
  const head = Buffer.concat(chunks);
  const isTar = head.subarray(TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5).toString('latin1') === 'ustar';
  return isTar || detectCompression(head) !== 'plain';
}

function readContext(root: string, given: string | undefined, options: ContextOptions): OpenContext {
  const { dockerfile: wanted, sys } = options;
  const name = wanted === '' ? DEFAULT_NAME : wanted;
  const dockerfile = given === undefined ? readDockerfile(root, name, sys) : { text: given, name: DEFAULT_NAME };
  using files = new RootFiles(root, sys.files);
  const own = files.readText(`${dockerfile.name}.dockerignore`, MAX_DOCKERFILE_BYTES);
  const text = own ?? files.readText('.dockerignore', MAX_DOCKERFILE_BYTES) ?? '';
  return { root, dockerfile, ignore: parseIgnoreFile(text) };
}

function readDockerfile(root: string, name: string, sys: Pick<Sys, 'files'>): OpenContext['dockerfile'] {
  const path = posix.normalize(name);
  if (path === '..' || path.startsWith('../')) {
    throw invalid('DOCKERFILE_OUTSIDE', `forbidden path outside the build context: ${name} ()`);
  }
  using files = new RootFiles(root, sys.files);
  const text = files.readText(path, MAX_DOCKERFILE_BYTES);
  if (text !== undefined) return { text, name: path };
  const lower = name.toLowerCase();
  if (name === DEFAULT_NAME && readdirSync(root).includes(lower)) return readDockerfile(root, lower, sys);
  throw invalid('DOCKERFILE_MISSING', `Cannot locate specified Dockerfile: ${name}`);
}

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}
