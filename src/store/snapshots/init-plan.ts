import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path/posix';

/** What every container finds in its root, whatever its image has: what the engine mounts upon, and what programs look for. */
const FIXTURES: readonly (readonly [path: string, kind: 'directory' | 'file' | { linkTo: string }])[] = [
  ['.dockerenv', 'file'],
  ['dev/console', 'file'],
  ['dev/pts', 'directory'],
  ['dev/shm', 'directory'],
  ['etc/hostname', 'file'],
  ['etc/hosts', 'file'],
  ['etc/mtab', { linkTo: '/proc/mounts' }],
  ['etc/resolv.conf', 'file'],
  ['proc', 'directory'],
  ['sys', 'directory'],
];

/** What an image shows at a path. */
export interface ImageEntry {
  stat: BigIntStats;
  /** For a directory: the layers it is merged from, topmost first. */
  layers: readonly string[];
}

/** Something to make, parents before children. */
export type InitNode =
  | { path: string; kind: 'directory'; like: ImageEntry | undefined }
  | { path: string; kind: 'file' }
  | { path: string; kind: 'link'; to: string };

/**
 * The tree between an image and its containers, as dockerd makes it: directories of the image stay what they are, and
 * anything else in the place of a fixture, or on the way to one (a link above all), gives way.
 *
 * @param find - looks a path up, given the layers in which its parent is a directory.
 */
export function planInitLayer(
  layers: readonly string[],
  find: (path: string, layers: readonly string[]) => ImageEntry | undefined,
): InitNode[] {
  const directories = new Map<string, ImageEntry | undefined>();
  const nodes = new Map<string, InitNode>();
  const directoryOf = (path: string): ImageEntry | undefined => {
    if (directories.has(path)) return directories.get(path);
    const parent = dirname(path);
    const above = parent === '.' ? layers : (directoryOf(parent)?.layers ?? []);
    const found = find(path, above);
    const entry = found?.stat.isDirectory() ? found : undefined;
    directories.set(path, entry);
    return entry;
  };
  const makeDirectory = (path: string): void => {
    if (nodes.has(path)) return;
    const parent = dirname(path);
    if (parent !== '.') makeDirectory(parent);
    nodes.set(path, { path, kind: 'directory', like: directoryOf(path) });
  };
  for (const [path, kind] of FIXTURES) {
    if (directoryOf(path) !== undefined) continue;
    const parent = dirname(path);
    if (parent !== '.') makeDirectory(parent);
    if (kind === 'directory') makeDirectory(path);
    else nodes.set(path, kind === 'file' ? { path, kind } : { path, kind: 'link', to: kind.linkTo });
  }
  return [...nodes.values()];
}
