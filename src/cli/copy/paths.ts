import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { isErrno } from '#lib';
import { CliError } from '../framework/errors.ts';
import { goFileError } from '../run-options/go-values.ts';

/** One side of a copy. `path` keeps its trailing `/` or `/.`, which mean something. */
export interface CopySide {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** The name asked for, where following links led to another. */
  readonly rebaseName?: string;
}

/** Docker takes longer chains of links for a loop. */
const maxLinks = 10;

/** `CONTAINER:PATH` in its parts; a local path has no container. What starts with `/` or `.` is local. */
export function splitArgument(argument: string): { container: string; path: string } {
  const colon = argument.indexOf(':');
  if (isAbsolute(argument) || colon < 0 || argument.startsWith('.')) return { container: '', path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

/** The absolute form of a local path. */
export function resolveLocal(path: string): string {
  return keepEnding(resolve(path), path);
}

function keepEnding(clean: string, original: string): string {
  if (endsInDot(original)) return join(clean, '/').concat('.');
  return original.endsWith('/') && !clean.endsWith('/') ? `${clean}/` : clean;
}

function endsInDot(path: string): boolean {
  return basename(path) === '.';
}

/** Directory and last name of a path; `/a/.` has the name `.` in `/a`. */
export function splitEntry(path: string): { directory: string; base: string } {
  if (endsInDot(path)) return { directory: normalize(`${path}/`).replace(/(?<=.)\/$/, ''), base: '.' };
  const clean = normalize(path).replace(/(?<=.)\/$/, '');
  return { directory: dirname(clean), base: clean === '/' ? '/' : basename(clean) };
}

/** A local source; its last link is followed only if asked for. @throws CliError when it is not there. */
export function localSource(path: string, followLink: boolean): CopySide {
  try {
    // With a slash behind it a link stands for what it leads to.
    const follow = followLink || path.endsWith('/');
    const resolved = follow ? keepEnding(realpathSync(path), path) : join(realpathSync(dirname(path)), last(path));
    const isDirectory = lstatSync(resolved).isDirectory();
    const renamed = basename(resolved) !== basename(path);
    return { path: resolved, exists: true, isDirectory, ...(renamed ? { rebaseName: basename(path) } : {}) };
  } catch (error) {
    throw new CliError(goFileError('lstat', path, error), 1, { cause: error });
  }
}

function last(path: string): string {
  return endsInDot(path) ? '.' : basename(path);
}

/** A local destination, all its links followed; it need not exist, but its folder must. @throws CliError */
export function localDestination(path: string): CopySide {
  let current = path;
  for (let links = 0; links <= maxLinks; links++) {
    const stat = tryLstat(current);
    if (!stat) {
      checkParent(current);
      return { path: current, exists: false, isDirectory: false };
    }
    if (!stat.isSymbolicLink()) return { path: current, exists: true, isDirectory: stat.isDirectory() };
    current = resolve(splitEntry(current).directory, readlinkSync(current.replace(/\/$/, '')));
  }
  throw new CliError(`too many symlinks in ${path}`);
}

function tryLstat(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new CliError(goFileError('lstat', path, error), 1, { cause: error });
  }
}

function checkParent(path: string): void {
  const { directory } = splitEntry(path);
  let isDirectory: boolean;
  try {
    isDirectory = statSync(directory).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new CliError(`invalid output path: directory ${JSON.stringify(directory)} does not exist`);
    }
    throw new CliError(goFileError('stat', directory, error), 1, { cause: error });
  }
  if (!isDirectory) throw new CliError('not a directory');
}
