import {
  freezeCgroup,
  isCgroupFrozen,
  killCgroup,
  liftPidsLimit,
  listCgroupProcesses,
  removeCgroup,
  thawCgroup,
} from './control.ts';
import { type CgroupLayout, cgroupPaths, type CgroupPaths, cgroupPathsOfProcess, detectCgroups } from './layout.ts';
import { type CgroupStats, readCgroupStats, readSystemCpu, type SystemCpu } from './stats.ts';

/** Control groups of either version. Making them and setting limits is mostly the OCI runtime's job. */
export interface Cgroups {
  detect(): CgroupLayout;
  paths(layout: CgroupLayout, cgroupPath: string): CgroupPaths;
  pathsOfProcess(layout: CgroupLayout, pid: number): CgroupPaths;
  readStats(paths: CgroupPaths): CgroupStats;
  readSystemCpu(): SystemCpu;
  listProcesses(paths: CgroupPaths): number[];
  freeze(paths: CgroupPaths): void;
  thaw(paths: CgroupPaths): void;
  isFrozen(paths: CgroupPaths): boolean;
  liftPidsLimit(paths: CgroupPaths): void;
  killAll(paths: CgroupPaths): number;
  remove(paths: CgroupPaths): void;
}

export const linuxCgroups: Cgroups = {
  detect: detectCgroups,
  paths: cgroupPaths,
  pathsOfProcess: cgroupPathsOfProcess,
  readStats: readCgroupStats,
  readSystemCpu,
  listProcesses: listCgroupProcesses,
  freeze: freezeCgroup,
  thaw: thawCgroup,
  isFrozen: isCgroupFrozen,
  liftPidsLimit,
  killAll: killCgroup,
  remove: removeCgroup,
};
