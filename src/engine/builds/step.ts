import type { SpecMount } from '#runtime';

/** Limits and surroundings of a build's steps. Zero and empty: none. */
export interface StepLimits {
  readonly memoryBytes: number;
  readonly memorySwapBytes: number;
  readonly cpuShares: number;
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { Name: string; Soft: number; Hard: number }[];
  readonly cgroupParent: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly securityOptions: readonly string[];
}

/** What a build wants run: a process in a root of its own, gone when it ends. */
export interface Step {
  /** 64 hex digits, of this run alone. Its layer has the same, so that what a killed daemon leaves is found together. */
  readonly id: string;
  /** Mounted and writable. */
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly hostname: string;
  /** Empty or `default`, `none`, `host`, `container:<id>`, or a network. */
  readonly network: string;
  readonly privileged: boolean;
  /** Devices of the Container Device Interface: `name[,required]`. */
  readonly devices: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly limits: StepLimits;
  /** Called in order; reading waits for what it answers. */
  readonly output: (stream: 'stdout' | 'stderr', data: Buffer) => void | Promise<void>;
  readonly signal: AbortSignal;
}
