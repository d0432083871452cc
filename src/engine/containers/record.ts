import type { Endpoint, Sandbox } from '#net';
import type {
  ChainId,
  ContainerConfig,
  ContainerId,
  Digest,
  EndpointSettings,
  HealthState,
  HostConfig,
  MountPoint,
} from '#spec';

/** How a run of a container ended. Times are RFC 3339 with nanoseconds. */
export interface Ending {
  exitCode: number;
  startedAt: string;
  finishedAt: string;
  oomKilled: boolean;
  error: string;
}

/** A process we can still recognise after a restart: pid and its start time in clock ticks since boot. */
export interface RunningProcess {
  pid: number;
  startTicks: string;
  startedAt: string;
}

/** Where a container is in its life. Impossible combinations cannot be written. */
export type Phase =
  | { status: 'created'; exitCode: number; error: string }
  | ({ status: 'running' } & RunningProcess)
  | ({ status: 'paused' } & RunningProcess)
  | ({ status: 'restarting' } & Ending)
  | ({ status: 'exited' } & Ending)
  | { status: 'removing'; was: Ending }
  | { status: 'dead'; was: Ending };

/** A mount of a container as decided at create. */
export interface PlannedMount {
  point: MountPoint;
  /** Bind only: create a missing source directory (the `-v` form does, `--mount` does not). */
  createSource: boolean;
  /** Volume only: fill it from the image on first use. */
  copyUp: boolean;
  recursive: boolean;
  /** Read-only binds: what is mounted below the source stays writable, or must not (an error where it cannot be helped). */
  readOnlyBelow?: 'no' | 'forced' | undefined;
  /** Volume only: its labels if it is made for this mount. */
  volumeLabels?: Record<string, string> | undefined;
  /** Volume only: the driver asked for, empty for any, and its options if the volume is made for this mount. */
  volumeDriver?: string | undefined;
  volumeOptions?: Record<string, string> | undefined;
  /** Volume and image: what of it is mounted. */
  subpath?: string | undefined;
  /** Image only: the name of its layer, and the image it is of. */
  imageLayer?: { name: string; chainId: ChainId | undefined } | undefined;
  /** tmpfs only: mount options. */
  tmpfsOptions: string[];
}

/** A container as stored: everything that must survive the daemon. */
export interface ContainerRecord {
  readonly id: ContainerId;
  /** Without the leading slash. */
  name: string;
  readonly createdAt: string;
  readonly imageId: Digest;
  readonly chainId: ChainId | undefined;
  readonly config: ContainerConfig;
  hostConfig: HostConfig;
  readonly path: string;
  readonly args: string[];
  phase: Phase;
  restartCount: number;
  /** A user stopped it: restart policies leave it alone. */
  stoppedByUser: boolean;
  sandbox: Sandbox | undefined;
  /** The networks that it is on whenever it runs, by name, with what was asked of each. */
  endpoints: Record<string, EndpointSettings>;
  readonly mounts: PlannedMount[];
  /** Names of the anonymous volumes made for it. */
  readonly anonymousVolumes: string[];
  /** What its health check says, since its first start with one. */
  health?: HealthState | undefined;
}

export type { Endpoint, Sandbox };

/** Whether a process of it exists. */
export function isLive(phase: Phase): phase is Extract<Phase, { status: 'running' | 'paused' }> {
  return phase.status === 'running' || phase.status === 'paused';
}

/** Docker counts a container that waits for its restart as running. */
export function countsAsRunning(phase: Phase): boolean {
  return isLive(phase) || phase.status === 'restarting';
}

/** Whether `start` may run. */
export function canStart(phase: Phase): boolean {
  return phase.status === 'created' || phase.status === 'exited' || phase.status === 'restarting';
}

/** How the last run ended; undefined if it never ran or runs now. */
export function endingOf(phase: Phase): Ending | undefined {
  switch (phase.status) {
    case 'exited':
    case 'restarting':
      return phase;
    case 'removing':
    case 'dead':
      return phase.was;
    case 'created':
    case 'running':
    case 'paused':
      return undefined;
  }
}
