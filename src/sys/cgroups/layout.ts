import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '#errors';
import { listMounts, type MountInfo } from '../mounts/mountinfo.ts';
import { parseProcessCgroups } from './parse.ts';

/** How this host mounts its control groups. */
export interface CgroupLayout {
  /** `hybrid`: v1 controllers, with a v2 tree beside them for tracking processes. */
  mode: 'v1' | 'hybrid' | 'v2';
  /** Mount point of the v2 tree; undefined in `v1`. */
  unifiedMount: string | undefined;
  /** v1 mount points by controller, named hierarchies as `name=systemd`. Empty in `v2`. */
  controllerMounts: ReadonlyMap<string, string>;
  /** Controllers that can be used, of either version. */
  controllers: readonly string[];
}

/** A container's own group: one directory per v1 controller, or one in the v2 tree, or both (hybrid). */
export interface CgroupPaths {
  unified: string | undefined;
  controllers: ReadonlyMap<string, string>;
}

const v1Controllers = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
  'misc',
];

function controllersOf(mount: MountInfo): string[] {
  return mount.superOptions.filter((option) => v1Controllers.includes(option) || option.startsWith('name='));
}

/** Derives the layout from the mount table; `readUnified` answers `cgroup.controllers` of the v2 tree. */
export function layoutFromMounts(mounts: readonly MountInfo[], readUnified: (path: string) => string): CgroupLayout {
  const controllerMounts = new Map<string, string>();
  for (const mount of mounts) {
    if (mount.fsType !== 'cgroup') continue;
    for (const controller of controllersOf(mount)) {
      if (!controllerMounts.has(controller)) controllerMounts.set(controller, mount.target);
    }
  }
  const unifiedMount = mounts.find((mount) => mount.fsType === 'cgroup2')?.target;
  const named = [...controllerMounts.keys()].filter((name) => !name.startsWith('name='));
  if (unifiedMount === undefined && named.length === 0) {
    throw new EngineError('unavailable', 'SYS_NO_CGROUPS', 'no cgroup filesystem is mounted');
  }
  const unified = unifiedMount === undefined ? [] : readUnified(unifiedMount).split(/\s+/).filter(Boolean);
  const mode = named.length === 0 ? 'v2' : unifiedMount === undefined ? 'v1' : 'hybrid';
  return { mode, unifiedMount, controllerMounts, controllers: [...named, ...unified] };
}

/**
 * The control groups of this host.
 *
 * @throws {@link EngineError} unavailable when none are mounted.
 */
export function detectCgroups(): CgroupLayout {
  return layoutFromMounts(listMounts(), (path) => readFileSync(join(path, 'cgroup.controllers'), 'utf8'));
}

/** The directories of the group at `cgroupPath` (`/berth/<id>`, below each hierarchy's root); they need not exist. */
export function cgroupPaths(layout: CgroupLayout, cgroupPath: string): CgroupPaths {
  const controllers = new Map<string, string>();
  for (const [name, mount] of layout.controllerMounts) controllers.set(name, join(mount, cgroupPath));
  return {
    unified: layout.unifiedMount === undefined ? undefined : join(layout.unifiedMount, cgroupPath),
    controllers,
  };
}

/**
 * The directories of the groups that a process is in. On v1 these can differ by controller.
 *
 * @throws Node's ENOENT or ESRCH when the process is gone.
 */
export function cgroupPathsOfProcess(layout: CgroupLayout, pid: number): CgroupPaths {
  const paths = parseProcessCgroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  const controllers = new Map<string, string>();
  for (const [name, mount] of layout.controllerMounts) {
    const path = paths.get(name);
    if (path !== undefined) controllers.set(name, join(mount, path));
  }
  const { unifiedMount } = layout;
  const unifiedPath = paths.get('');
  const hasUnified = unifiedMount !== undefined && unifiedPath !== undefined;
  return { unified: hasUnified ? join(unifiedMount, unifiedPath) : undefined, controllers };
}
