import { readdirSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { EngineError } from '#errors';
import { hasWildcards, PathPatterns } from '#spec';
import { hasErrno } from '#sys';
import type { SelectedPath } from '../contract.ts';

/** Links followed while looking for one path; the kernel's own limit is the same. */
const MAX_MATCHES = 1_000_000;

/**
 * Finds what the sources mean, from `/` of the calling thread. A source that is a link stands for what it leads to, inside the root.
 *
 * @throws notFound for a source without wildcards that is not there, or is left out by `ignore`.
 */
export function matchSources(sources: readonly string[], ignore: readonly string[]): SelectedPath[] {
  const ignored = new PathPatterns(ignore);
  return sources.flatMap((source) => {
    const found = expandSource(source).flatMap((path) => describe(path, source, ignored) ?? []);
    if (found.length === 0 && !hasWildcards(source)) throw missing(source);
    return found;
  });
}

function missing(source: string): EngineError {
  return new EngineError('notFound', 'COPY_SOURCE_MISSING', `stat ${source}: file does not exist`, {
    details: { source },
  });
}

/** Paths below the root, without a leading slash, in the order of names. */
function expandSource(source: string): string[] {
  const clean = posix.resolve('/', source).slice(1);
  if (!hasWildcards(source)) return [clean.replaceAll(/\\(.)/g, '$1')];
  let paths = [''];
  for (const part of clean.split('/')) {
    const below = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);
    if (!hasWildcards(part)) paths = paths.map((path) => below(path, part.replaceAll(/\\(.)/g, '$1')));
    else {
      const pattern = new PathPatterns([part.startsWith('!') ? `\\${part}` : part]);
      paths = paths.flatMap((path) =>
        namesIn(path)
          .filter((name) => pattern.matchesExactly(name))
          .map((name) => below(path, name)),
      );
    }
    if (paths.length > MAX_MATCHES) {
      throw new EngineError('invalidArgument', 'COPY_TOO_MANY', `${source} matches more than ${MAX_MATCHES} paths`);
    }
  }
  return paths;
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(`/${path}`).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function describe(path: string, source: string, ignored: PathPatterns): SelectedPath | undefined {
  const real = realPath(path);
  if (real === undefined) return undefined;
  const stat = statSync(`/${real}`);
  const isDirectory = stat.isDirectory();
  // Below a directory that is left out there may be what is not.
  const isLeftOut = path !== '' && ignored.matches(path) && !(isDirectory && ignored.hasExceptions);
  if (isLeftOut) return undefined;
  return { source, path, real, isDirectory };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(`/${path}`).slice(1);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
