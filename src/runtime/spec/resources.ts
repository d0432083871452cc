import { EngineError } from '#errors';
import type { HostConfig, oci, ThrottleDevice } from '#spec';
import type { CgroupFeatures } from './cgroup-features.ts';
import type { DeviceNode } from './devices.ts';

const CPU_PERIOD_US = 100_000;
const NANO_PER_CPU = 1_000_000_000;

/** The limits of a container, devices aside. @throws invalidArgument for negative CPU shares or a block device that is none. */
export function buildResources(
  host: HostConfig,
  features: CgroupFeatures,
  lookupDevice: (path: string) => DeviceNode | undefined,
): oci.RuntimeResources {
  const memory = buildMemory(host, features);
  const cpu = buildCpu(host);
  const blockIO = buildBlockIo(host, features, lookupDevice);
  return {
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(Object.keys(blockIO).length > 0 ? { blockIO } : {}),
    ...(host.PidsLimit !== null && host.PidsLimit > 0 ? { pids: { limit: host.PidsLimit } } : {}),
  };
}

function buildMemory(host: HostConfig, features: CgroupFeatures): NonNullable<oci.RuntimeResources['memory']> {
  const isV1 = features.version === 1;
  return {
    ...(host.Memory > 0 ? { limit: host.Memory } : {}),
    ...(host.MemoryReservation > 0 ? { reservation: host.MemoryReservation } : {}),
    ...(host.MemorySwap !== 0 && features.swapLimit ? { swap: host.MemorySwap } : {}),
    ...(isV1 && host.KernelMemoryTCP ? { kernelTCP: host.KernelMemoryTCP } : {}),
    ...(isV1 && host.MemorySwappiness !== null && host.MemorySwappiness >= 0
      ? { swappiness: host.MemorySwappiness }
      : {}),
    ...(isV1 && host.OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function buildCpu(host: HostConfig): NonNullable<oci.RuntimeResources['cpu']> {
  if (host.CpuShares < 0) {
    throw new EngineError(
      'invalidArgument',
      'INVALID_CPU_SHARES',
      `invalid CPU shares (${host.CpuShares}): value must be a positive integer`,
    );
  }
  return {
    ...(host.CpuShares > 0 ? { shares: host.CpuShares } : {}),
    ...(host.NanoCpus > 0
      ? { period: CPU_PERIOD_US, quota: Math.trunc((host.NanoCpus * CPU_PERIOD_US) / NANO_PER_CPU) }
      : {}),
    ...(host.CpuPeriod === 0 ? {} : { period: host.CpuPeriod }),
    ...(host.CpuQuota === 0 ? {} : { quota: host.CpuQuota }),
    ...(host.CpuRealtimePeriod === 0 ? {} : { realtimePeriod: host.CpuRealtimePeriod }),
    ...(host.CpuRealtimeRuntime === 0 ? {} : { realtimeRuntime: host.CpuRealtimeRuntime }),
    ...(host.CpusetCpus === '' ? {} : { cpus: host.CpusetCpus }),
    ...(host.CpusetMems === '' ? {} : { mems: host.CpusetMems }),
  };
}

function buildBlockIo(
  host: HostConfig,
  features: CgroupFeatures,
  lookupDevice: (path: string) => DeviceNode | undefined,
): oci.RuntimeBlockIo {
  const number = (path: string): { major: number; minor: number } => {
    const device = lookupDevice(path);
    if (device === undefined) {
      throw new EngineError('invalidArgument', 'NO_SUCH_DEVICE', `stat ${path}: no such file or directory`);
    }
    return { major: device.major, minor: device.minor };
  };
  const throttles = (devices: ThrottleDevice[] | null): oci.RuntimeThrottle[] =>
    (devices ?? []).map(({ Path, Rate }) => ({ ...number(Path), rate: Rate }));
  const weights = (host.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({ ...number(Path), weight: Weight }));
  const readBps = throttles(host.BlkioDeviceReadBps);
  const writeBps = throttles(host.BlkioDeviceWriteBps);
  const readIops = throttles(host.BlkioDeviceReadIOps);
  const writeIops = throttles(host.BlkioDeviceWriteIOps);
  return {
    ...(features.ioWeight && host.BlkioWeight > 0 ? { weight: host.BlkioWeight } : {}),
    ...(features.ioWeight && weights.length > 0 ? { weightDevice: weights } : {}),
    ...(readBps.length > 0 ? { throttleReadBpsDevice: readBps } : {}),
    ...(writeBps.length > 0 ? { throttleWriteBpsDevice: writeBps } : {}),
    ...(readIops.length > 0 ? { throttleReadIOPSDevice: readIops } : {}),
    ...(writeIops.length > 0 ? { throttleWriteIOPSDevice: writeIops } : {}),
  };
}
