import { totalmem } from 'node:os';
import type { CgroupStats } from '#sys';

/** One reading of a container's cgroup, in Docker's shapes. */
export interface CgroupReading {
  cpuStats: {
    cpu_usage: {
      total_usage: number;
      percpu_usage?: number[];
      usage_in_kernelmode: number;
      usage_in_usermode: number;
    };
    throttling_data: { periods: number; throttled_periods: number; throttled_time: number };
  };
  memoryStats: { usage?: number; max_usage?: number; failcnt?: number; limit?: number; stats?: Record<string, number> };
  blkioStats: Record<string, BlkioRow[] | null>;
  pidsStats: { current?: number; limit?: number };
}

interface BlkioRow {
  major: number;
  minor: number;
  op: string;
  value: number;
}

/** Turns the kernel's counters into Docker's; undefined when the group is gone. */
export function toReading(stats: CgroupStats): CgroupReading | undefined {
  const { cpu, memory, pids, io } = stats;
  if (!cpu && !memory && !pids) return undefined;
  return {
    cpuStats: {
      cpu_usage: {
        total_usage: cpu?.totalNs ?? 0,
        ...(cpu?.perCpuNs ? { percpu_usage: cpu.perCpuNs } : {}),
        usage_in_kernelmode: cpu?.systemNs ?? 0,
        usage_in_usermode: cpu?.userNs ?? 0,
      },
      throttling_data: {
        periods: cpu?.periods ?? 0,
        throttled_periods: cpu?.throttledPeriods ?? 0,
        throttled_time: cpu?.throttledNs ?? 0,
      },
    },
    memoryStats: memory ? toMemory(memory) : {},
    blkioStats: toBlkio(stats.version, io),
    // Docker's "no limit", 2^64-1, is no double: a rounded one would overflow in Go clients, so none is sent.
    pidsStats: pids ? { current: pids.current, ...(pids.limit === undefined ? {} : { limit: pids.limit }) } : {},
  };
}

function toMemory(memory: NonNullable<CgroupStats['memory']>): CgroupReading['memoryStats'] {
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes === undefined ? {} : { max_usage: memory.maxUsageBytes }),
    stats: memory.detail,
    ...(memory.failCount === undefined ? {} : { failcnt: memory.failCount }),
    limit: Math.min(memory.limitBytes ?? Infinity, totalmem()),
  };
}

function toBlkio(version: 1 | 2, io: CgroupStats['io']): CgroupReading['blkioStats'] {
  const rest = {
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
  return {
    io_service_bytes_recursive: io?.bytes ?? null,
    // Docker fills the operation counts on v1 only.
    io_serviced_recursive: version === 1 ? (io?.operations ?? null) : null,
    ...rest,
  };
}
