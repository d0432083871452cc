import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import {
  applyMode,
  createTarWriter,
  decompress,
  matchSources,
  parseMode,
  readTar,
  type SelectedPath,
  type SelectOptions,
  selectTree,
  unpack,
} from '#archive';
import { EngineError } from '#errors';
import { resolveUser, RootFiles } from '#runtime';
import type { Sys } from '#sys';
import type { CopyOp } from '../plan/index.ts';

/** Sources of a copy whose files are on this host. */
export interface CopyTree {
  /** Folder of the source. */
  readonly root: string;
  readonly paths: readonly string[];
  /** Ignore patterns that apply there. */
  readonly ignore: readonly string[];
  /** Whether its archives may be unpacked. */
  readonly isLocal: boolean;
}

export interface CopyInput {
  readonly op: CopyOp;
  /** In the order of the instruction. */
  readonly trees: readonly CopyTree[];
  readonly sys: Sys;
  readonly signal: AbortSignal;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const INLINE_MODE = 0o644;
const root: Owner = { uid: 0, gid: 0 };

/** The digest of what a copy brings: names, content, modes and owners, no times. Part of the step's key. */
export async function digestOfCopy({ op, trees, signal }: CopyInput): Promise<string> {
  const hash = createHash('sha256');
  for (const tree of trees) {
    const selected = await select(op, tree, signal);
    hash.update(JSON.stringify(selected.map(({ path, isDirectory }) => [path, isDirectory])));
    const stream = selectTree({
      ...selection(op, tree, toEntries(op, selected), undefined),
      withoutTimes: true,
      signal,
    });
    for await (const chunk of stream) hash.update(chunk as Buffer);
  }
  for (const source of op.sources) {
    if (source.kind === 'inline') hash.update(JSON.stringify([source.name, source.content]));
  }
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Copies into a mounted root.
 *
 * @throws notFound with Docker's text for a source that is not there; invalidArgument for an owner that the root does not know, a
 *   destination that is no directory.
 */
export async function copyInto(target: string, input: CopyInput): Promise<void> {
  using files = new RootFiles(target, input.sys.files);
  const { op, trees, sys, signal } = input;
  const owner = op.chown === '' ? undefined : parseOwner(op.chown, target, sys);
  const run = new CopyRun(target, files, input, owner);
  for (const tree of trees) await run.copyTree(tree, await select(op, tree, signal));
  for (const source of op.sources) if (source.kind === 'inline') await run.copyInline(source);
}

async function select(op: CopyOp, tree: CopyTree, signal: AbortSignal): Promise<readonly SelectedPath[]> {
  // `./` inside a source of --parents only says where the kept part of the path begins.
  const { root: from, paths: sources, ignore } = tree;
  try {
    return await matchSources({ root: from, sources, ignore, signal });
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'COPY_SOURCE_MISSING') throw error;
    const name = op.unpack === 'never' ? 'COPY' : 'ADD';
    throw new EngineError(
      'notFound',
      'COPY_SOURCE_MISSING',
      `${name} failed: file not found in build context or excluded by .dockerignore: ${error.message}`,
      { cause: error },
    );
  }
}

/** Which names what was selected gets below the destination. */
function toEntries(op: CopyOp, selected: readonly SelectedPath[]): SelectOptions['entries'] {
  return selected.map(({ source, path, real, isDirectory }) => {
    if (op.parents) return { from: real, shown: path, to: keptPath(source, path) };
    return { from: real, shown: path, to: isDirectory ? '' : posix.basename(path) };
  });
}

/** What `--parents` keeps of a path: all of it, or what comes after `./`. */
function keptPath(source: string, path: string): string {
  const pivot = source.indexOf('/./');
  if (pivot < 0) return path;
  const depth = source
    .slice(0, pivot)
    .split('/')
    .filter((part) => part !== '' && part !== '.').length;
  return path.split('/').slice(depth).join('/');
}

function selection(
  op: CopyOp,
  tree: CopyTree,
  entries: SelectOptions['entries'],
  owner: Owner | undefined,
): SelectOptions {
  return {
    root: tree.root,
    entries,
    ignore: tree.ignore,
    exclude: op.exclude,
    // Files of a context belong to root whoever sent them; those of a stage to whom they belonged there.
    owner: owner ?? (tree.isLocal ? root : undefined),
    mode: op.chmod,
    withoutTimes: false,
  };
}

class CopyRun {
  readonly #target: string;
  readonly #files: RootFiles;
  readonly #op: CopyOp;
  readonly #owner: Owner | undefined;
  readonly #sys: Sys;
  readonly #signal: AbortSignal;

  constructor(target: string, files: RootFiles, { op, sys, signal }: CopyInput, owner: Owner | undefined) {
    this.#target = target;
    this.#files = files;
    this.#op = op;
    this.#owner = owner;
    this.#sys = sys;
    this.#signal = signal;
  }

  async copyTree(tree: CopyTree, selected: readonly SelectedPath[]): Promise<void> {
    const plain: SelectedPath[] = [];
    for (const each of selected) if (!(await this.#unpackArchive(tree, each))) plain.push(each);
    if (plain.length === 0) return;
    const [only] = plain;
    const isFile = only !== undefined && selected.length === 1 && !only.isDirectory && !this.#op.parents;
    if (isFile) {
      const { directory, name } = this.#fileTarget(posix.basename(only.path));
      await this.#put(tree, [{ from: only.real, shown: only.path, to: name }], directory);
    } else await this.#put(tree, toEntries(this.#op, plain), this.#directoryTarget());
  }

  async copyInline({ name, content }: { name: string; content: string }): Promise<void> {
    const { directory, name: to } = this.#fileTarget(name);
    const writer = createTarWriter();
    const mode = this.#op.chmod === '' ? INLINE_MODE : applyMode(parseMode(this.#op.chmod), INLINE_MODE, false);
    const write = async (): Promise<void> => {
      await writer.add({ name: to, mode, ...(this.#owner ?? root) }, Buffer.from(content));
      await writer.end();
    };
    await Promise.all([write(), this.#unpackStream(writer.stream, directory)]);
  }

  /** Where a single file goes: into a directory, or under the destination's own name. */
  #fileTarget(name: string): { directory: string; name: string } {
    const { destination } = this.#op;
    const there = this.#files.resolve(destination);
    if (destination.endsWith('/') || there?.isDirectory === true) return { directory: this.#directoryTarget(), name };
    const path = there?.path ?? destination;
    return { directory: this.#ensure(posix.dirname(path)), name: posix.basename(path) };
  }

  #directoryTarget(): string {
    return this.#ensure(this.#op.destination);
  }

  #ensure(directory: string): string {
    this.#files.ensureDirectory(directory, this.#owner);
    const there = this.#files.resolve(directory);
    if (there?.isDirectory === true) return there.path;
    throw new EngineError('invalidArgument', 'NOT_A_DIRECTORY', `cannot copy to non-directory: ${directory}`);
  }

  async #put(tree: CopyTree, entries: SelectOptions['entries'], directory: string): Promise<void> {
    const stream = selectTree({ ...selection(this.#op, tree, entries, this.#owner), signal: this.#signal });
    await this.#unpackStream(stream, directory);
  }

  async #unpackStream(stream: Readable, directory: string, owner?: Owner): Promise<void> {
    await unpack({
      source: { stream },
      root: this.#target,
      directory,
      whiteouts: 'literal',
      noOverwriteDirNonDir: true,
      ...(owner ? { owner } : {}),
      signal: this.#signal,
    });
  }

  /** ADD unpacks local archives. False for what is none. */
  async #unpackArchive(tree: CopyTree, { real, isDirectory }: SelectedPath): Promise<boolean> {
    const { unpack: when } = this.#op;
    if (isDirectory || when === 'never' || (when === 'local' && !tree.isLocal)) return false;
    if (!(await isArchive(this.#open(tree, real)))) {
      if (when === 'local') return false;
      throw new EngineError('invalidArgument', 'NOT_AN_ARCHIVE', `ADD --unpack: ${real} is not a tar archive`);
    }
    await this.#unpackStream(this.#open(tree, real), this.#directoryTarget(), this.#owner);
    return true;
  }

  #open(tree: CopyTree, path: string): Readable {
    using files = new RootFiles(tree.root, this.#sys.files);
    const fd = files.openFile(path);
    if (fd === undefined) throw new EngineError('notFound', 'COPY_SOURCE_MISSING', `stat ${path}: file does not exist`);
    return createReadStream('', { fd });
  }
}

/** Whether a file is a tar, plain or compressed. */
async function isArchive(file: Readable): Promise<boolean> {
  try {
    for await (const _entry of readTar(decompress(file))) return true;
    return false;
  } catch {
    return false;
  } finally {
    file.destroy();
  }
}

/** `user[:group]`, looked up in the root where it is a name. */
function parseOwner(text: string, rootfs: string, sys: Sys): Owner {
  const { uid, gid } = resolveUser(rootfs, text, [], sys.files);
  // Without a group Docker takes the user's number for it, whatever the user's own group is.
  return { uid, gid: text.includes(':') ? gid : uid };
}
