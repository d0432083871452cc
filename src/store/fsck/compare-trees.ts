import { setImmediate } from 'node:timers/promises';
import { readlinkSync } from 'node:fs';
import type { Sys } from '#sys';

type Entry = ReturnType<Sys['files']['walkTree']> extends Generator<infer T> ? T : never;

/** Entries compared between two turns of the event loop. */
const BATCH = 256;

function describe(entry: Entry): string {
  const { stat } = entry;
  const size = stat.isFile() ? stat.size : 0n;
  const link = stat.isSymbolicLink() ? readlinkSync(entry.fullPath, 'latin1') : '';
  // Directories that the archive implies, and whiteouts, are as old as their unpacking.
  const time = stat.isFile() || stat.isSymbolicLink() ? stat.mtimeNs : 0n;
  const xattrs = [...entry.xattrs].map(([name, value]) => `${name}=${value.toString('hex')}`).sort();
  return [stat.mode, stat.uid, stat.gid, size, stat.rdev, time, link, ...xattrs].join(' ');
}

/**
 * The first difference between two trees in names, types, modes, owners, sizes, times, devices, link targets or
 * extended attributes; undefined when there is none. File contents are not read.
 */
export async function compareTrees(sys: Sys, expected: string, actual: string): Promise<string | undefined> {
  const options = { sorted: true, xattrs: true };
  const left = sys.files.walkTree(expected, options);
  const right = sys.files.walkTree(actual, options);
  for (let count = 1; ; count++) {
    if (count % BATCH === 0) await setImmediate();
    const a = left.next().value as Entry | undefined;
    const b = right.next().value as Entry | undefined;
    if (a === undefined && b === undefined) return undefined;
    if (a === undefined) return `/${String(b?.path)} should not be there`;
    if (b === undefined) return `/${String(a.path)} is missing`;
    const order = Buffer.compare(a.path, b.path);
    if (order !== 0) return `/${String(a.path)} was expected where /${String(b.path)} is`;
    if (describe(a) !== describe(b)) return `/${String(a.path)} has other metadata`;
  }
}
