import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '../errno.ts';
import type { CgroupPaths } from './layout.ts';
import { type BlkioEntry, parseBlkioV1, parseIoStat, parseKeyValues, parseLimit, parseNumbers } from './parse.ts';

export interface CpuStats {
  totalNs: number;
  userNs: number;
  systemNs: number;
  /** v1 only; index is the CPU's number. */
  perCpuNs: number[] | undefined;
  periods: number;
  throttledPeriods: number;
  throttledNs: number;
}

export interface MemoryStats {
  usageBytes: number;
  /** Undefined without a limit. */
  limitBytes: number | undefined;
  maxUsageBytes: number | undefined;
  /** v1: how often the limit was hit. */
  failCount: number | undefined;
  /** How often a process was killed for memory. */
  oomKills: number | undefined;
  /** `memory.stat` by the kernel's names, which differ between versions. */
  detail: Record<string, number>;
}

export interface PidsStats {
  current: number;
  limit: number | undefined;
}

/** What a group used so far. A part is undefined where its controller is not there. */
export interface CgroupStats {
  version: 1 | 2;
  cpu: CpuStats | undefined;
  memory: MemoryStats | undefined;
  pids: PidsStats | undefined;
  io: { bytes: BlkioEntry[]; operations: BlkioEntry[] } | undefined;
}

/** Reads a file of the group; undefined when file or group is not there. */
export type ReadGroupFile = (name: string) => string | undefined;

const NS_PER_USEC = 1000;
/** v1 counts some times in ticks of 1/100 s. */
const NS_PER_TICK = 10_000_000;
/** v1 writes "no limit" as the largest multiple of a page; anything near means the same. */
const V1_UNLIMITED = 2 ** 62;

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseLimit(text);
}

export function cpuStatsV1(read: ReadGroupFile, readCpu: ReadGroupFile): CpuStats | undefined {
  const usage = number(read('cpuacct.usage'));
  if (usage === undefined) return undefined;
  const ticks = parseKeyValues(read('cpuacct.stat') ?? '');
  const throttling = parseKeyValues(readCpu('cpu.stat') ?? '');
  return {
    totalNs: usage,
    userNs: (ticks['user'] ?? 0) * NS_PER_TICK,
    systemNs: (ticks['system'] ?? 0) * NS_PER_TICK,
    perCpuNs: parseNumbers(read('cpuacct.usage_percpu') ?? ''),
    periods: throttling['nr_periods'] ?? 0,
    throttledPeriods: throttling['nr_throttled'] ?? 0,
    throttledNs: throttling['throttled_time'] ?? 0,
  };
}

export function memoryStatsV1(read: ReadGroupFile): MemoryStats | undefined {
  const usageBytes = number(read('memory.usage_in_bytes'));
  if (usageBytes === undefined) return undefined;
  const limit = number(read('memory.limit_in_bytes'));
  return {
    usageBytes,
    limitBytes: limit === undefined || limit >= V1_UNLIMITED ? undefined : limit,
    maxUsageBytes: number(read('memory.max_usage_in_bytes')),
    failCount: number(read('memory.failcnt')),
    oomKills: parseKeyValues(read('memory.oom_control') ?? '')['oom_kill'],
    detail: parseKeyValues(read('memory.stat') ?? ''),
  };
}

/** v1 has these counters once per I/O scheduler, and empty for all but the one in use. */
function blkioV1(read: ReadGroupFile, counter: 'io_service_bytes' | 'io_serviced'): BlkioEntry[] {
  for (const prefix of ['blkio.', 'blkio.bfq.', 'blkio.throttle.']) {
    for (const suffix of ['_recursive', '']) {
      const entries = parseBlkioV1(read(`${prefix}${counter}${suffix}`) ?? '');
      if (entries.length > 0) return entries;
    }
  }
  return [];
}

export function cpuStatsV2(read: ReadGroupFile): CpuStats | undefined {
  const text = read('cpu.stat');
  if (text === undefined) return undefined;
  const stat = parseKeyValues(text);
  return {
    totalNs: (stat['usage_usec'] ?? 0) * NS_PER_USEC,
    userNs: (stat['user_usec'] ?? 0) * NS_PER_USEC,
    systemNs: (stat['system_usec'] ?? 0) * NS_PER_USEC,
    perCpuNs: undefined,
    periods: stat['nr_periods'] ?? 0,
    throttledPeriods: stat['nr_throttled'] ?? 0,
    throttledNs: (stat['throttled_usec'] ?? 0) * NS_PER_USEC,
  };
}

export function memoryStatsV2(read: ReadGroupFile): MemoryStats | undefined {
  const usageBytes = number(read('memory.current'));
  if (usageBytes === undefined) return undefined;
  return {
    usageBytes,
    limitBytes: number(read('memory.max')),
    maxUsageBytes: number(read('memory.peak')),
    failCount: undefined,
    oomKills: parseKeyValues(read('memory.events') ?? '')['oom_kill'],
    detail: parseKeyValues(read('memory.stat') ?? ''),
  };
}

export function pidsStats(read: ReadGroupFile): PidsStats | undefined {
  const current = number(read('pids.current'));
  return current === undefined ? undefined : { current, limit: number(read('pids.max')) };
}

function reader(directory: string | undefined): ReadGroupFile {
  return (name) => {
    if (directory === undefined) return undefined;
    try {
      return readFileSync(join(directory, name), 'utf8');
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
      throw error;
    }
  };
}

/** Reads what a group used. Parts are undefined when the group is gone. */
export function readCgroupStats(paths: CgroupPaths): CgroupStats {
  const read = (controller: string): ReadGroupFile => reader(paths.controllers.get(controller));
  if (!paths.controllers.has('memory') && !paths.controllers.has('cpuacct') && paths.unified !== undefined) {
    const unified = reader(paths.unified);
    const io = unified('io.stat');
    return {
      version: 2,
      cpu: cpuStatsV2(unified),
      memory: memoryStatsV2(unified),
      pids: pidsStats(unified),
      io: io === undefined ? undefined : parseIoStat(io),
    };
  }
  const blkio = read('blkio');
  return {
    version: 1,
    cpu: cpuStatsV1(read('cpuacct'), read('cpu')),
    memory: memoryStatsV1(read('memory')),
    pids: pidsStats(read('pids')),
    io: { bytes: blkioV1(blkio, 'io_service_bytes'), operations: blkioV1(blkio, 'io_serviced') },
  };
}

export interface SystemCpu {
  /** Time of all CPUs since boot in all states, idle included: Docker's `system_cpu_usage`. */
  totalNs: number;
  onlineCpus: number;
}

/** Parses `/proc/stat`: user, nice, system, idle, iowait, irq, softirq and steal count; guest time is in user already. */
export function parseSystemCpu(text: string): SystemCpu {
  const lines = text.split('\n');
  const total = lines.find((line) => line.startsWith('cpu ')) ?? '';
  const ticks = parseNumbers(total.slice(4)).slice(0, 8);
  return {
    totalNs: ticks.reduce((sum, value) => sum + value, 0) * NS_PER_TICK,
    onlineCpus: lines.filter((line) => /^cpu\d/.test(line)).length,
  };
}

/** The CPU time of the whole machine. */
export function readSystemCpu(): SystemCpu {
  return parseSystemCpu(readFileSync('/proc/stat', 'utf8'));
}
