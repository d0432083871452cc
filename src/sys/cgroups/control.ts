import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { hasErrno } from '../errno.ts';
import { kill } from '../processes/signals.ts';
import type { CgroupPaths } from './layout.ts';
import { parseNumbers } from './parse.ts';

const SIGKILL = 9;

/** The directory whose member list stands for the whole group. */
function trackingDirectory(paths: CgroupPaths): string | undefined {
  const candidates = [
    ...['pids', 'freezer', 'devices', 'memory'].map((name) => paths.controllers.get(name)),
    paths.unified,
    ...paths.controllers.values(),
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

function directories(paths: CgroupPaths): Set<string> {
  return new Set([...paths.controllers.values(), ...(paths.unified === undefined ? [] : [paths.unified])]);
}

function unlessGone<T>(fallback: T, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV')) return fallback;
    throw error;
  }
}

function childGroups(directory: string): string[] {
  return unlessGone([], () =>
    readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name)),
  );
}

function pidsBelow(directory: string): number[] {
  const own = unlessGone([], () => parseNumbers(readFileSync(join(directory, 'cgroup.procs'), 'utf8')));
  return [...own, ...childGroups(directory).flatMap(pidsBelow)];
}

/** The processes in a group and the groups below it; none when it is gone. */
export function listCgroupProcesses(paths: CgroupPaths): number[] {
  const directory = trackingDirectory(paths);
  return directory === undefined ? [] : [...new Set(pidsBelow(directory))];
}

/** The file and words that freeze a group, of whichever version is there. */
function freezer(paths: CgroupPaths): { file: string; frozen: string; thawed: string } {
  const v1 = paths.controllers.get('freezer');
  if (v1 !== undefined && existsSync(join(v1, 'freezer.state'))) {
    return { file: join(v1, 'freezer.state'), frozen: 'FROZEN', thawed: 'THAWED' };
  }
  if (paths.unified !== undefined && existsSync(join(paths.unified, 'cgroup.freeze'))) {
    return { file: join(paths.unified, 'cgroup.freeze'), frozen: '1', thawed: '0' };
  }
  throw new EngineError('notFound', 'SYS_NO_FREEZER', 'the cgroup is gone or cannot be frozen');
}

/** Asks the kernel to stop every process of the group; it is done when {@link isCgroupFrozen} says so. */
export function freezeCgroup(paths: CgroupPaths): void {
  const { file, frozen } = freezer(paths);
  writeFileSync(file, frozen);
}

/** Lets the processes of a frozen group go on. */
export function thawCgroup(paths: CgroupPaths): void {
  const { file, thawed } = freezer(paths);
  writeFileSync(file, thawed);
}

/** Lets the group have as many processes as it likes; runtimes of some versions cannot say that to a live one. */
export function liftPidsLimit(paths: CgroupPaths): void {
  const directory = paths.controllers.get('pids') ?? paths.unified;
  if (directory === undefined) throw new EngineError('notFound', 'SYS_NO_CGROUP', 'the cgroup is gone');
  writeFileSync(join(directory, 'pids.max'), 'max');
}

/** Whether all processes of the group stand still. */
export function isCgroupFrozen(paths: CgroupPaths): boolean {
  const { file, frozen } = freezer(paths);
  if (file.endsWith('freezer.state')) return readFileSync(file, 'utf8').trim() === frozen;
  return /^frozen 1$/m.test(readFileSync(join(file, '..', 'cgroup.events'), 'utf8'));
}

/**
 * Kills every process of the group, at once where the kernel can (cgroup.kill), else one by one; a group that forks
 * meanwhile wants another call.
 *
 * @returns how many processes were found; 0 means that the group is empty.
 */
export function killCgroup(paths: CgroupPaths): number {
  const pids = listCgroupProcesses(paths);
  if (pids.length === 0) return 0;
  const killFile = paths.unified === undefined ? undefined : join(paths.unified, 'cgroup.kill');
  if (killFile !== undefined && existsSync(killFile)) unlessGone(undefined, () => writeFileSync(killFile, '1'));
  for (const pid of listCgroupProcesses(paths)) {
    try {
      kill(pid, SIGKILL);
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
  }
  return pids.length;
}

function removeTree(directory: string): void {
  for (const child of childGroups(directory)) removeTree(child);
  unlessGone(undefined, () => rmdirSync(directory));
}

/**
 * Removes the group and those below it from every hierarchy. Repeatable.
 *
 * @throws {@link EngineError} conflict while processes are in it.
 */
export function removeCgroup(paths: CgroupPaths): void {
  for (const directory of directories(paths)) {
    try {
      removeTree(directory);
    } catch (error) {
      if (!hasErrno(error, 'EBUSY')) throw error;
      throw new EngineError('conflict', 'SYS_CGROUP_BUSY', `cgroup ${directory} still has processes`, { cause: error });
    }
  }
}
