import { setImmediate } from 'node:timers/promises';
import type { Sys } from '#sys';
import type { ContainerRecord } from '../containers/record.ts';

/** The IDs of the containers that have each volume. */
export function usersOfVolumes(records: readonly ContainerRecord[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const { id, mounts } of records) {
    const names = new Set(mounts.flatMap(({ point }) => (point.Type === 'volume' ? [point.Name ?? ''] : [])));
    for (const name of names) users.set(name, [...(users.get(name) ?? []), id]);
  }
  return users;
}

/** Entries looked at between two turns of the event loop. */
const WALK_BATCH = 512;
let untilPause = WALK_BATCH;

/** Bytes of the files below a directory; 0 when it is not there. */
export async function treeSizeBytes(sys: Pick<Sys, 'files'>, path: string): Promise<number> {
  let total = 0;
  try {
    for (const { stat } of sys.files.walkTree(path)) {
      if (--untilPause <= 0) {
        untilPause = WALK_BATCH;
        await setImmediate();
      }
      total += stat.isFile() ? Number(stat.size) : 0;
    }
  } catch {
    // A volume that was never used has no directory yet.
  }
  return total;
}
