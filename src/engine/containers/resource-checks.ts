import { availableParallelism } from 'node:os';
import { EngineError, findEngineError } from '#errors';
import type { CgroupFeatures } from '#runtime';
import type { HostConfig } from '#spec';
import { parseCpuList } from './cpu-list.ts';

/** dockerd's smallest limit: a runtime needs a few MiB to start a process in the group. */
const minimumMemoryBytes = 6 * 1024 * 1024;

function invalid(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_RESOURCES', message);
}

/** Throws the text of the first condition that holds. */
function refuse(...problems: [holds: boolean, message: string][]): void {
  const first = problems.find(([holds]) => holds);
  if (first) throw invalid(first[1]);
}

/**
 * Checks a container's limits and takes out of `host`, in place, what this host's control groups cannot do.
 *
 * @param update - the limits come over those of an existing container.
 * @returns a warning for each that was taken out.
 * @throws invalidArgument with Docker's texts.
 */
export function checkResources(host: HostConfig, features: CgroupFeatures, update: boolean): string[] {
  const warnings: string[] = [];
  const discard = (holds: boolean, warning: string, change: () => void): void => {
    if (!holds) return;
    warnings.push(warning);
    change();
  };
  checkMemory(host, features, update, discard);
  checkCpu(host, features, discard);
  checkCpuset(host, features, discard);
  checkBlockIo(host, features, discard);
  return warnings;
}

type Discard = (holds: boolean, warning: string, change: () => void) => void;

function checkMemory(host: HostConfig, features: CgroupFeatures, update: boolean, discard: Discard): void {
  // -1 has always meant the kernel's default.
  if (host.MemorySwappiness === -1) host.MemorySwappiness = null;
  refuse([host.Memory !== 0 && host.Memory < minimumMemoryBytes, 'Minimum memory limit allowed is 6MB']);
  discard(
    host.Memory > 0 && !features.memoryLimit,
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    () => Object.assign(host, { Memory: 0, MemorySwap: -1 }),
  );
  discard(
    host.Memory > 0 && host.MemorySwap !== -1 && !features.swapLimit,
    'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    () => (host.MemorySwap = -1),
  );
  const { Memory: memory, MemorySwap: swap } = host;
  refuse(
    [memory > 0 && swap > 0 && swap < memory, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
    [
      memory === 0 && swap > 0 && !update,
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    ],
  );
  checkSwappiness(host, features, discard);
  discard(
    host.MemoryReservation > 0 && !features.memoryReservation,
    'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    () => (host.MemoryReservation = 0),
  );
  const { MemoryReservation: reservation } = host;
  refuse(
    [reservation > 0 && reservation < minimumMemoryBytes, 'Minimum memory reservation allowed is 6MB'],
    [
      memory > 0 && reservation > 0 && memory < reservation,
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    ],
  );
  checkOomAndPids(host, features, discard);
}

function checkSwappiness(host: HostConfig, features: CgroupFeatures, discard: Discard): void {
  discard(
    host.MemorySwappiness !== null && !features.swappiness,
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    () => (host.MemorySwappiness = null),
  );
  const swappiness = host.MemorySwappiness ?? 0;
  refuse([swappiness < 0 || swappiness > 100, `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`]);
}

function checkOomAndPids(host: HostConfig, features: CgroupFeatures, discard: Discard): void {
  discard(
    host.OomKillDisable === true && !features.oomKillDisable,
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    () => (host.OomKillDisable = null),
  );
  if (!features.oomKillDisable) host.OomKillDisable = null;
  discard(
    host.OomKillDisable === true && host.Memory === 0,
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    () => undefined,
  );
  discard(
    (host.PidsLimit ?? 0) > 0 && !features.pidsLimit,
    'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    () => (host.PidsLimit = null),
  );
}

function checkCpu(host: HostConfig, features: CgroupFeatures, discard: Discard): void {
  const cpus = availableParallelism();
  const { NanoCpus: nano } = host;
  refuse(
    [nano > 0 && host.CpuPeriod > 0, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
    [nano > 0 && host.CpuQuota > 0, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
    [
      nano > 0 && !features.cpuQuota,
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    ],
    [
      nano < 0 || nano > cpus * 1e9,
      `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`,
    ],
    [host.CpuShares < 0, `invalid CPU shares (${host.CpuShares}): value must be a positive integer`],
  );
  discard(
    host.CpuShares > 0 && !features.cpuShares,
    'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
    () => (host.CpuShares = 0),
  );
  discard(
    (host.CpuPeriod !== 0 || host.CpuQuota !== 0) && !features.cpuQuota,
    'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
    () => Object.assign(host, { CpuPeriod: 0, CpuQuota: 0 }),
  );
  refuse(
    [
      host.CpuPeriod !== 0 && (host.CpuPeriod < 1000 || host.CpuPeriod > 1_000_000),
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    ],
    [host.CpuQuota > 0 && host.CpuQuota < 1000, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [
      (host.CpuRealtimePeriod !== 0 || host.CpuRealtimeRuntime !== 0) && !features.cpuRealtime,
      'kernel does not support CPU real-time scheduler',
    ],
    [
      host.CpuRealtimePeriod !== 0 && host.CpuRealtimeRuntime > host.CpuRealtimePeriod,
      'cpu real-time runtime cannot be higher than cpu real-time period',
    ],
  );
  discard(host.CpuPercent > 0, 'linux does not support CPU percent. Percent discarded.', () => (host.CpuPercent = 0));
}

function checkCpuset(host: HostConfig, features: CgroupFeatures, discard: Discard): void {
  discard(
    (host.CpusetCpus !== '' || host.CpusetMems !== '') && !features.cpuset,
    'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
    () => Object.assign(host, { CpusetCpus: '', CpusetMems: '' }),
  );
  const isAvailable = (list: string, available: string, what: string): boolean => {
    try {
      return parseCpuList(list).isSubsetOf(parseCpuList(available));
    } catch (error) {
      const known = findEngineError(error);
      throw known ? invalid(`Invalid value ${list} for cpuset ${what}: ${known.message}`) : error;
    }
  };
  if (!isAvailable(host.CpusetCpus, features.cpus, 'cpus')) {
    throw invalid(`Requested CPUs are not available - requested ${host.CpusetCpus}, available: ${features.cpus}`);
  }
  if (!isAvailable(host.CpusetMems, features.memoryNodes, 'mems')) {
    throw invalid(
      `Requested memory nodes are not available - requested ${host.CpusetMems}, available: ${features.memoryNodes}`,
    );
  }
}

function checkBlockIo(host: HostConfig, features: CgroupFeatures, discard: Discard): void {
  discard(
    host.BlkioWeight > 0 && !features.ioWeight,
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    () => (host.BlkioWeight = 0),
  );
  refuse(
    [
      host.BlkioWeight > 0 && (host.BlkioWeight < 10 || host.BlkioWeight > 1000),
      'Range of blkio weight is from 10 to 1000',
    ],
    [
      host.IOMaximumBandwidth !== 0 || host.IOMaximumIOps !== 0,
      'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps',
    ],
  );
  discard(
    (host.BlkioWeightDevice ?? []).length > 0 && !features.ioWeightDevice,
    'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    () => (host.BlkioWeightDevice = []),
  );
  const limits = [
    ['BlkioDeviceReadBps', features.readBps, 'BPS Block I/O read limit', 'Block I/O BPS read limit'],
    ['BlkioDeviceWriteBps', features.writeBps, 'BPS Block I/O write limit', 'Block I/O BPS write limit'],
    ['BlkioDeviceReadIOps', features.readIops, 'IOPS Block read limit', 'Block I/O IOPS read limit'],
    ['BlkioDeviceWriteIOps', features.writeIops, 'IOPS Block write limit', 'Block I/O IOPS write limit'],
  ] as const;
  for (const [key, supported, what, limit] of limits) {
    discard(
      (host[key] ?? []).length > 0 && !supported,
      `Your kernel does not support ${what} or the cgroup is not mounted. ${limit} discarded.`,
      () => (host[key] = []),
    );
  }
}
