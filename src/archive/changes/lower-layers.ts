import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno, type Sys } from '#sys';
import { isOverlayOpaque, isOverlayWhiteout } from '../pack/overlay-marks.ts';
import { decodeText, encodeText } from '../tar/text.ts';

/** What the lower layers together show at a path. */
export interface LowerEntry {
  stat: BigIntStats;
  capability: Buffer | undefined;
  /** For a directory: the layers whose directories of that name are merged into it, topmost first. */
  layers: readonly string[];
}

/**
 * The merged view of read-only overlay layers, by lookup.
 *
 * Nothing of the layers is followed: a caller goes down name by name, with the layers in which the parent is a real directory.
 */
export class LowerLayers {
  readonly #files: Sys['files'];

  constructor(files: Sys['files']) {
    this.#files = files;
  }

  /** What `path` is, seen through `layers`: those in which its parent is a directory. */
  find(path: string, layers: readonly string[]): LowerEntry | undefined {
    const merged: string[] = [];
    let top: Omit<LowerEntry, 'layers'> | undefined;
    for (const layer of layers) {
      const fullPath = encodeText(`${layer}/${path}`);
      const stat = lstatSync(fullPath, { bigint: true, throwIfNoEntry: false });
      if (!stat) continue;
      const marks = this.#marks(fullPath);
      if (isOverlayWhiteout(stat, marks) || (top && !stat.isDirectory())) break;
      top ??= { stat, capability: marks.get('security.capability') };
      if (!stat.isDirectory()) break;
      merged.push(layer);
      if (isOverlayOpaque(marks)) break;
    }
    return top && { ...top, layers: merged };
  }

  /** Names in a directory, as `find` would find them. */
  names(path: string, layers: readonly string[]): string[] {
    const names = new Set<string>();
    for (const layer of layers) {
      for (const name of listNames(encodeText(`${layer}/${path}`))) names.add(name);
    }
    return [...names].filter((name) => this.find(path === '' ? name : `${path}/${name}`, layers) !== undefined);
  }

  #marks(fullPath: Buffer): Map<string, Buffer> {
    const marks = new Map<string, Buffer>();
    for (const name of this.#files.llistxattr(fullPath)) {
      const value = this.#files.lgetxattr(fullPath, name);
      if (value) marks.set(name, value);
    }
    return marks;
  }
}

function listNames(directory: Buffer): string[] {
  try {
    return readdirSync(directory, { encoding: 'buffer' }).map((name) => decodeText(name));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
