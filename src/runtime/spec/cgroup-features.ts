/** What the host's control groups can do. What they cannot is warned of at create and left out, as by dockerd. */
export interface CgroupFeatures {
  version: 1 | 2;
  memoryLimit: boolean;
  swapLimit: boolean;
  memoryReservation: boolean;
  swappiness: boolean;
  oomKillDisable: boolean;
  kernelMemoryTcp: boolean;
  cpuShares: boolean;
  cpuQuota: boolean;
  cpuRealtime: boolean;
  cpuset: boolean;
  /** CPUs that containers may use, `0-3,6`; likewise memory nodes. */
  cpus: string;
  memoryNodes: string;
  pidsLimit: boolean;
  /** `blkio.weight` or `io.weight`. */
  ioWeight: boolean;
  ioWeightDevice: boolean;
  readBps: boolean;
  writeBps: boolean;
  readIops: boolean;
  writeIops: boolean;
}

/** A host that lacks nothing that its version of control groups has; for tests, with `own` over it. */
export function allCgroupFeatures(version: 1 | 2, own: Partial<CgroupFeatures> = {}): CgroupFeatures {
  const isV1 = version === 1;
  return {
    version,
    memoryLimit: true,
    swapLimit: true,
    memoryReservation: true,
    swappiness: isV1,
    oomKillDisable: isV1,
    kernelMemoryTcp: isV1,
    cpuShares: true,
    cpuQuota: true,
    cpuRealtime: isV1,
    cpuset: true,
    cpus: '0-3',
    memoryNodes: '0',
    pidsLimit: true,
    ioWeight: true,
    ioWeightDevice: true,
    readBps: true,
    writeBps: true,
    readIops: true,
    writeIops: true,
    ...own,
  };
}
