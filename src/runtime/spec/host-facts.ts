import type { CgroupFeatures } from './cgroup-features.ts';
import type { HostRlimits } from './rlimits.ts';

/** What about this machine a container's specification depends on. */
export interface HostFacts {
  /** Node's `process.arch`. */
  arch: string;
  kernel: readonly [number, number];
  /** What this process may hand on. */
  capabilities: readonly string[];
  rlimits: HostRlimits;
  cgroup: CgroupFeatures;
  seccomp: boolean;
  apparmor: boolean;
  /** systemd manages the cgroups (`system.slice:berth:<id>`) rather than we directly. */
  systemdCgroups: boolean;
}
