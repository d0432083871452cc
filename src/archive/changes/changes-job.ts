import type { BigIntStats } from 'node:fs';
import type { Sys } from '#sys';
import type { TreeChange } from '../contract.ts';
import { isOverlayOpaque, isOverlayWhiteout } from '../pack/overlay-marks.ts';
import { decodeText } from '../tar/text.ts';
import { parentOf } from '../unpack/entry-path.ts';
import { type LowerEntry, LowerLayers } from './lower-layers.ts';

/** An entry of the upper directory. */
export interface UpperEntry {
  /** Relative, clean. */
  path: string;
  stat: BigIntStats;
  whiteout: boolean;
  opaque: boolean;
  capability: Buffer | undefined;
}

/** Lists the upper directory, which is `/` of the calling thread because a running container may swap links into it. */
export function listUpper(files: Sys['files']): UpperEntry[] {
  const entries: UpperEntry[] = [];
  for (const { path, stat, xattrs } of files.walkTree('/', { xattrs: true })) {
    if (path.length === 0) continue;
    entries.push({
      path: decodeText(path),
      stat,
      whiteout: isOverlayWhiteout(stat, xattrs),
      opaque: isOverlayOpaque(xattrs),
      capability: xattrs.get('security.capability'),
    });
  }
  return entries;
}

/**
 * Compares an upper directory with the layers below as Docker compares two trees: a removed directory is one deletion, an
 * added one is listed with all it holds, and a directory in which anything changed is modified itself.
 */
export function compareWithLowers(
  entries: readonly UpperEntry[],
  lowers: readonly string[],
  files: Sys['files'],
): TreeChange[] {
  return new Comparison(entries, lowers, files).run();
}

class Comparison {
  readonly #entries: readonly UpperEntry[];
  readonly #present: ReadonlySet<string>;
  readonly #lower: LowerLayers;
  /** Layers in which a directory of the upper tree is one too. */
  readonly #layersOf: Map<string, readonly string[]>;
  readonly #changes: Map<string, TreeChange['kind']>;

  constructor(entries: readonly UpperEntry[], lowers: readonly string[], files: Sys['files']) {
    this.#entries = entries;
    this.#present = new Set(entries.filter(({ whiteout }) => !whiteout).map(({ path }) => path));
    this.#lower = new LowerLayers(files);
    this.#layersOf = new Map([['', lowers]]);
    this.#changes = new Map();
  }

  run(): TreeChange[] {
    for (const entry of this.#entries) {
      const below = this.#lower.find(entry.path, this.#layersOf.get(parentOf(entry.path)) ?? []);
      if (entry.whiteout) {
        if (below) this.#changes.set(entry.path, 'deleted');
      } else {
        this.#compare(entry, below);
      }
    }
    for (const path of this.#changes.keys()) this.#markParents(path);
    const compare = (a: TreeChange, b: TreeChange): number => (a.path < b.path ? -1 : 1);
    return [...this.#changes].map(([path, kind]) => ({ path: `/${path}`, kind })).toSorted(compare);
  }

  #compare(entry: UpperEntry, below: LowerEntry | undefined): void {
    if (!below) this.#changes.set(entry.path, 'added');
    else if (isDifferent(entry, below)) this.#changes.set(entry.path, 'modified');
    if (entry.stat.isDirectory() && !entry.opaque) this.#layersOf.set(entry.path, below?.layers ?? []);
    else if (below?.stat.isDirectory()) this.#compareHidden(entry, below);
  }

  /** An opaque directory, or something else in a directory's place: each name below is either there again or deleted. */
  #compareHidden(entry: UpperEntry, below: LowerEntry): void {
    for (const name of this.#lower.names(entry.path, below.layers)) {
      const path = `${entry.path}/${name}`;
      if (!this.#present.has(path)) this.#changes.set(path, 'deleted');
    }
    if (entry.stat.isDirectory()) this.#layersOf.set(entry.path, below.layers);
  }

  #markParents(path: string): void {
    for (let parent = parentOf(path); parent !== '' && !this.#changes.has(parent); parent = parentOf(parent)) {
      this.#changes.set(parent, 'modified');
    }
  }
}

function isDifferent(entry: UpperEntry, below: LowerEntry): boolean {
  const [a, b] = [entry.stat, below.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return true;
  if (!a.isDirectory() && (a.size !== b.size || a.mtimeNs !== b.mtimeNs)) return true;
  return !(entry.capability ?? NONE).equals(below.capability ?? NONE);
}

const NONE = Buffer.alloc(0);
