import { type BigIntStats, lstatSync, opendirSync, readdirSync } from 'node:fs';
import { hasErrno } from '../errno.ts';
import { lgetxattr, llistxattr } from './xattrs.ts';

export interface WalkOptions {
  /** Read each entry's extended attributes. Default false. */
  xattrs?: boolean;
  /** Give the entries of a directory in byte order of their names; holds one directory's names in memory. Default false. */
  sorted?: boolean;
}

/** An entry of a tree. Names are bytes, since filesystems promise no encoding. */
export interface WalkEntry {
  /** Relative to the root, without a leading `/`; empty for the root itself. */
  path: Buffer;
  /** The path to open it by. */
  fullPath: Buffer;
  stat: BigIntStats;
  /** By name; empty unless asked for. */
  xattrs: ReadonlyMap<string, Buffer>;
}

const noXattrs: ReadonlyMap<string, Buffer> = new Map();
const SLASH = Buffer.from('/');
/** Enough for one getdents call; more would only cost memory per level. */
const DIRECTORY_BUFFER_ENTRIES = 64;

function readXattrs(path: Buffer): ReadonlyMap<string, Buffer> {
  const names = llistxattr(path);
  if (names.length === 0) return noXattrs;
  const values = new Map<string, Buffer>();
  for (const name of names) {
    const value = lgetxattr(path, name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function* namesOf(directory: Buffer, sorted: boolean): Generator<Buffer> {
  if (sorted) {
    yield* readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
    return;
  }
  // Node hands out names as text by default; in latin1 each byte is one character and none is lost.
  const handle = opendirSync(directory, { encoding: 'latin1', bufferSize: DIRECTORY_BUFFER_ENTRIES });
  try {
    for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
      yield Buffer.from(entry.name, 'latin1');
    }
  } finally {
    handle.closeSync();
  }
}

/** What vanishes between listing and looking is left out: the tree may be in use. */
function look(fullPath: Buffer, path: Buffer, options: WalkOptions): WalkEntry | undefined {
  try {
    const stat = lstatSync(fullPath, { bigint: true });
    return { path, fullPath, stat, xattrs: options.xattrs === true ? readXattrs(fullPath) : noXattrs };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function* descend(directory: WalkEntry, options: WalkOptions): Generator<WalkEntry, void, 'skip' | undefined> {
  for (const name of namesOf(directory.fullPath, options.sorted === true)) {
    const fullPath = Buffer.concat([directory.fullPath, SLASH, name]);
    const path = directory.path.length === 0 ? name : Buffer.concat([directory.path, SLASH, name]);
    const entry = look(fullPath, path, options);
    if (entry === undefined) continue;
    const answer = yield entry;
    if (entry.stat.isDirectory() && answer !== 'skip') yield* descend(entry, options);
  }
}

/**
 * Walks a tree without following links, each directory before what it holds, the root first; synchronous, with memory
 * in proportion to depth. In a chrooted worker the root is `/`.
 *
 * Answering `next('skip')` to a directory leaves out what is below it.
 *
 * @throws {@link EngineError} or Node's error when something there cannot be read.
 */
export function* walkTree(
  root: string | Buffer,
  options: WalkOptions = {},
): Generator<WalkEntry, void, 'skip' | undefined> {
  const fullPath = Buffer.from(root);
  const entry = { path: Buffer.alloc(0), fullPath, stat: lstatSync(fullPath, { bigint: true }) };
  const top: WalkEntry = { ...entry, xattrs: options.xattrs === true ? readXattrs(fullPath) : noXattrs };
  const answer = yield top;
  if (top.stat.isDirectory() && answer !== 'skip') yield* descend(top, options);
}
