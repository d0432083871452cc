import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceNode, HostDevices } from '../spec/devices.ts';

const MAX_DEPTH = 8;

/** The devices of this machine. */
export const hostDevices: HostDevices = {
  lookup(path) {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats && toNode(path, stats);
  },
  list(directory) {
    return listBelow(directory, 0);
  },
};

function listBelow(directory: string, depth: number): DeviceNode[] {
  if (depth > MAX_DEPTH) return [];
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch {
    // It is no directory, or went away (terminals do).
    return [];
  }
  return names.flatMap((name) => {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    if (stats.isDirectory()) return listBelow(path, depth + 1);
    return toNode(path, stats) ?? [];
  });
}

function toNode(path: string, stats: Stats): DeviceNode | undefined {
  const type = stats.isBlockDevice() ? 'b' : stats.isCharacterDevice() ? 'c' : undefined;
  if (type === undefined) return undefined;
  const device = BigInt(stats.rdev);
  return {
    path,
    type,
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    fileMode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
  };
}
