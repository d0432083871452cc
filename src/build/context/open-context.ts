import { createReadStream, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { detectCompression, unpack } from '#archive';
import { EngineError } from '#errors';
import { RootFiles } from '#runtime';
import { parseIgnoreFile } from '#spec';
import type { Sys } from '#sys';
import type { ContextFolder, ContextFolders } from './context-folders.ts';
import { download } from './download.ts';
import { cloneRepository } from './git-clone.ts';
import { isRepository, parseGitUrl } from './git-url.ts';

/** Where a build's context comes from. */
export type ContextSource =
  /** A tar, compressed or not. */
  | { readonly kind: 'archive'; readonly body: Readable }
  /** A repository, an archive, or a Dockerfile alone. */
  | { readonly kind: 'remote'; readonly address: string };

export interface OpenContext {
  readonly root: string;
  readonly dockerfile: { readonly text: string; readonly name: string };
  /** Patterns of what no instruction finds. */
  readonly ignore: readonly string[];
}

export interface ContextOptions {
  readonly folder: ContextFolder;
  readonly folders: ContextFolders;
  /** Path in the context; empty for `Dockerfile`. */
  readonly dockerfile: string;
  readonly keepGitDir: boolean;
  readonly sys: Pick<Sys, 'files'>;
  readonly signal: AbortSignal;
}

const DEFAULT_NAME = 'Dockerfile';
const MAX_DOCKERFILE_BYTES = 16 * 1024 * 1024;
const TAR_MAGIC_OFFSET = 257;

/**
 * Puts a context into its folder and reads the Dockerfile.
 *
 * @throws invalidArgument with Docker's texts: for a Dockerfile that is not there or outside, for what is no archive, cut-off ones too.
 */
export async function openContext(source: ContextSource, options: ContextOptions): Promise<OpenContext> {
  const { folder, signal } = options;
  if (source.kind === 'archive') {
    await unpack({ source: { stream: source.body }, root: folder.path, whiteouts: 'literal', signal });
    return readContext(folder.path, options);
  }
  if (isRepository(source.address)) {
    const { root } = await cloneRepository(parseGitUrl(source.address), folder.path, options);
    return readContext(root, options);
  }
  if (!/^https?:\/\//i.test(source.address)) {
    throw invalid('REMOTE_UNKNOWN', `remoteURL (${source.address}) could not be recognized as URL`);
  }
  return await openDownload(source.address, options);
}

async function openDownload(address: string, options: ContextOptions): Promise<OpenContext> {
  const { folder, folders, signal } = options;
  await using downloads = await folders.create();
  const { name } = await download(address, downloads.path, { checksum: '', signal });
  const path = join(downloads.path, name);
  if (await isArchive(path)) {
    await unpack({ source: { path }, root: folder.path, whiteouts: 'literal', signal });
    return readContext(folder.path, options);
  }
  await rename(path, join(folder.path, DEFAULT_NAME));
  const dockerfile = readDockerfile(folder.path, DEFAULT_NAME, options.sys);
  await rm(join(folder.path, DEFAULT_NAME));
  return { root: folder.path, dockerfile, ignore: [] };
}

async function isArchive(path: string): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: 511 })) chunks.push(chunk as Buffer);
  const head = Buffer.concat(chunks);
  const isTar = head.subarray(TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5).toString('latin1') === 'ustar';
  return isTar || detectCompression(head) !== 'plain';
}

function readContext(root: string, { dockerfile: wanted, sys }: ContextOptions): OpenContext {
  const dockerfile = readDockerfile(root, wanted === '' ? DEFAULT_NAME : wanted, sys);
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
