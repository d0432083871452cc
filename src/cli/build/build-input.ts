import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type OutgoingBuildPart, parseIgnoreFile } from '#spec';
import type { CliContext } from '../context.ts';
import { CliError } from '../framework/index.ts';
import { listFolder, packFolder } from './pack-folder.ts';

/** Where a build's main context and Dockerfile come from. */
export interface BuildInput {
  /** An archive of the context; undefined for an address. */
  readonly context?: AsyncIterable<Uint8Array>;
  /** Empty unless the context is at an address. */
  readonly remote: string;
  /** Path in the context; empty for the usual one. */
  readonly dockerfile: string;
  /** A Dockerfile that is not in the context. */
  readonly ownDockerfile?: Buffer;
}

const TAR_MAGIC_OFFSET = 257;
const archiveMagics = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
];

/** Whether an argument names a repository or an archive somewhere else. */
export function isAddress(text: string): boolean {
  return /^(?:https?|git|ssh):\/\//i.test(text) || /^(?:git@|github\.com\/)/.test(text);
}

/** @throws CliError for a folder or Dockerfile that is not there. */
export async function openInput(ctx: CliContext, path: string, file: string): Promise<BuildInput> {
  if (file === '-' && path === '-') throw new CliError("can't use stdin for both build context and dockerfile");
  if (path === '-') return await inputFromStdin(ctx, file);
  const ownDockerfile = file === '-' ? { ownDockerfile: await buffer(ctx.io.stdin) } : {};
  if (isAddress(path)) return { remote: path, dockerfile: file === '-' ? '' : file, ...ownDockerfile };
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError(`unable to prepare context: path ${JSON.stringify(path)} not found`);
  }
  return inputFromFolder(realpathSync(path), file, ownDockerfile);
}

/** A Dockerfile, or an archive. */
async function inputFromStdin(ctx: CliContext, file: string): Promise<BuildInput> {
  const stdin = ctx.io.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head: Buffer = Buffer.alloc(0);
  let isEnd = false;
  while (head.length < TAR_MAGIC_OFFSET + 5 && !isEnd) {
    const next = await stdin.next();
    if (next.done === true) isEnd = true;
    else head = Buffer.concat([head, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Buffer, void, void> {
    yield head;
    for (let next = await stdin.next(); next.done !== true; next = await stdin.next()) yield next.value;
  };
  if (isArchive(head)) return { context: rest(), remote: '', dockerfile: file };
  const chunks: Buffer[] = [];
  for await (const chunk of rest()) chunks.push(chunk);
  return { remote: '', dockerfile: '', ownDockerfile: Buffer.concat(chunks) };
}

function isArchive(head: Buffer): boolean {
  const isTar = head.subarray(TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5).toString('latin1') === 'ustar';
  return isTar || archiveMagics.some((magic) => magic.every((byte, index) => head[index] === byte));
}

function inputFromFolder(folder: string, file: string, own: { ownDockerfile?: Buffer }): BuildInput {
  if (own.ownDockerfile) return { ...packed(folder, ''), remote: '', dockerfile: '', ...own };
  const path = resolve(file === '' ? defaultDockerfile(folder) : file);
  if (!existsSync(path)) {
    throw new CliError(
      `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
    );
  }
  const inside = relative(folder, path);
  if (inside.startsWith('..') || isAbsolute(inside)) {
    return { ...packed(folder, ''), remote: '', dockerfile: '', ownDockerfile: readFileSync(path) };
  }
  return { ...packed(folder, inside), remote: '', dockerfile: inside };
}

function defaultDockerfile(folder: string): string {
  const path = join(folder, 'Dockerfile');
  const lower = join(folder, 'dockerfile');
  return !existsSync(path) && existsSync(lower) ? lower : path;
}

function packed(folder: string, dockerfile: string): { context: AsyncIterable<Uint8Array> } {
  const own = `${dockerfile}.dockerignore`;
  const name = dockerfile !== '' && existsSync(join(folder, own)) ? own : '.dockerignore';
  const ignoreFile = join(folder, name);
  const ignore = existsSync(ignoreFile) ? parseIgnoreFile(readFileSync(ignoreFile, 'utf8')) : [];
  const always = new Set([dockerfile, name].filter((path) => path !== ''));
  return { context: packFolder(folder, listFolder(folder, ignore, always)) };
}

/** `--build-context name=value`. @throws CliError. */
export function namedContextPart(text: string): OutgoingBuildPart {
  const cut = text.indexOf('=');
  if (cut < 1) throw new CliError(`invalid context value: ${text}, expected key=value`);
  const [name, value] = [text.slice(0, cut), text.slice(cut + 1)];
  const image = /^docker-image:\/\/(.+)$/.exec(value)?.[1];
  if (image !== undefined) return { header: { part: 'image', name, reference: image } };
  if (isAddress(value)) return { header: { part: 'remote', name, address: value } };
  if (statSync(value, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError(`failed to get build context ${name}: stat ${value}: no such file or directory`);
  }
  const folder = realpathSync(value);
  return { header: { part: 'context', name }, content: packed(folder, '').context };
}

/** `--secret id=…,src=…` or `env=…`. @throws CliError. */
export function secretPart(text: string, env: CliContext['env']): OutgoingBuildPart {
  const fields = new Map(
    text.split(',').map((field): [string, string] => {
      const cut = field.indexOf('=');
      if (cut < 0) throw new CliError(`invalid field '${field}' must be a key=value pair`);
      return [field.slice(0, cut).toLowerCase(), field.slice(cut + 1)];
    }),
  );
  const unknown = [...fields.keys()].find((key) => !['type', 'id', 'src', 'source', 'env'].includes(key));
  if (unknown !== undefined) throw new CliError(`unexpected key '${unknown}' in '${text}'`);
  const source = fields.get('src') ?? fields.get('source');
  const id = fields.get('id') ?? (source === undefined ? undefined : basename(source));
  if (id === undefined || id === '') throw new CliError(`invalid secret ${text}: it has no id`);
  const variable = fields.get('env') ?? (source === undefined && env[id] !== undefined ? id : undefined);
  return { header: { part: 'secret', id }, content: once(secretContent(id, source, variable, env)) };
}

function secretContent(
  id: string,
  source: string | undefined,
  variable: string | undefined,
  env: CliContext['env'],
): Buffer {
  if (variable !== undefined) return Buffer.from(env[variable] ?? '');
  try {
    return readFileSync(source ?? id);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`failed to read secret ${id}: ${why}`, 1, { cause: error });
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
  yield bytes;
}
