/**
 * The OCI runtime specification's `config.json` (1.0, with the few fields of 1.1 that runtimes of both understand),
 * as far as this engine writes it.
 *
 * @see https://github.com/opencontainers/runtime-spec
 */

export interface RuntimeSpec {
  ociVersion: string;
  process: RuntimeProcess;
  root: { path: string; readonly: boolean };
  hostname?: string;
  domainname?: string;
  mounts: RuntimeMount[];
  annotations?: Record<string, string>;
  linux: RuntimeLinux;
}

export interface RuntimeProcess {
  terminal: boolean;
  consoleSize?: { height: number; width: number };
  user: RuntimeUser;
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: RuntimeCapabilities;
  rlimits?: RuntimeRlimit[];
  noNewPrivileges: boolean;
  apparmorProfile?: string;
  selinuxLabel?: string;
  oomScoreAdj?: number;
}

export interface RuntimeUser {
  uid: number;
  gid: number;
  additionalGids: number[];
}

export interface RuntimeCapabilities {
  bounding: string[];
  effective: string[];
  permitted: string[];
  inheritable?: string[];
  ambient?: string[];
}

export interface RuntimeRlimit {
  /** `RLIMIT_NOFILE` and so on. */
  type: string;
  soft: number;
  hard: number;
}

export interface RuntimeMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export type RuntimeNamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time';

export interface RuntimeNamespace {
  type: RuntimeNamespaceType;
  /** An existing one to join; a new one without. */
  path?: string;
}

export interface RuntimeLinux {
  namespaces: RuntimeNamespace[];
  devices: RuntimeDevice[];
  cgroupsPath: string;
  resources: RuntimeResources;
  rootfsPropagation?: string;
  seccomp?: RuntimeSeccomp;
  sysctl?: Record<string, string>;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
}

export interface RuntimeDevice {
  path: string;
  /** `b`, `c`, `u` or `p`. */
  type: string;
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

export interface RuntimeDeviceRule {
  allow: boolean;
  type?: string;
  /** Absent or -1: all. */
  major?: number;
  minor?: number;
  access: string;
}

export interface RuntimeThrottle {
  major: number;
  minor: number;
  rate: number;
}

export interface RuntimeBlockIo {
  weight?: number;
  weightDevice?: { major: number; minor: number; weight: number }[];
  throttleReadBpsDevice?: RuntimeThrottle[];
  throttleWriteBpsDevice?: RuntimeThrottle[];
  throttleReadIOPSDevice?: RuntimeThrottle[];
  throttleWriteIOPSDevice?: RuntimeThrottle[];
}

export interface RuntimeResources {
  devices?: RuntimeDeviceRule[];
  memory?: {
    limit?: number;
    reservation?: number;
    swap?: number;
    kernelTCP?: number;
    swappiness?: number;
    disableOOMKiller?: boolean;
  };
  cpu?: {
    shares?: number;
    quota?: number;
    period?: number;
    realtimeRuntime?: number;
    realtimePeriod?: number;
    cpus?: string;
    mems?: string;
  };
  pids?: { limit: number };
  blockIO?: RuntimeBlockIo;
}

export type SeccompAction = string;

export interface RuntimeSeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  /** `SCMP_CMP_EQ` and so on. */
  op: string;
}

export interface RuntimeSeccompSyscall {
  names: string[];
  action: SeccompAction;
  errnoRet?: number;
  args?: RuntimeSeccompArg[];
}

export interface RuntimeSeccomp {
  defaultAction: SeccompAction;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  syscalls: RuntimeSeccompSyscall[];
}
