import type { ListRow, ListShape } from '../../output/list.ts';
import { shortId } from '../../output/text.ts';
import { binarySize, humanSize } from '../../output/units.ts';

/** The members of the daemon's statistics that are shown; absent ones are those of a container that does not run. */
export interface ContainerStats {
  name?: string;
  id?: string;
  cpu_stats?: CpuStats;
  precpu_stats?: CpuStats;
  memory_stats?: { usage?: number; limit?: number; stats?: Record<string, number> };
  blkio_stats?: { io_service_bytes_recursive?: { op: string; value: number }[] | null };
  networks?: Record<string, { rx_bytes: number; tx_bytes: number }> | null;
  pids_stats?: { current?: number };
}

interface CpuStats {
  cpu_usage?: { total_usage?: number; percpu_usage?: number[] | null };
  system_cpu_usage?: number;
  online_cpus?: number;
}

/** What a row shows: figures of one moment, or that there are none. */
export interface StatsEntry {
  /** As asked for. */
  readonly container: string;
  readonly stats: ContainerStats;
  readonly valid: boolean;
}

export const statsShape: ListShape = {
  typeName: '*container.statsContext',
  headers: {
    Container: 'CONTAINER',
    ID: 'CONTAINER ID',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  columns: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
};

const noValue = '--';

/** A container's row in `stats`; figures are `--` while there are none. */
export function statsRow(entry: StatsEntry, truncate: boolean): ListRow {
  const { stats, valid } = entry;
  const id = stats.id ?? '';
  const name = stats.name ?? '';
  const figure = (text: () => string) => () => (valid ? text() : noValue);
  return {
    columns: {
      BlockIO: figure(() => pair(blockIo(stats), decimal)),
      CPUPerc: figure(() => percent(cpuPercent(stats))),
      Container: () => entry.container,
      ID: () => (truncate ? shortId(id) : id),
      MemPerc: figure(() => percent(memoryPercent(stats))),
      MemUsage: () => (valid ? pair([memoryUsage(stats), memoryLimit(stats)], binarySize) : `${noValue} / ${noValue}`),
      Name: () => (name.length > 1 ? name.slice(1) : noValue),
      NetIO: figure(() => pair(networkIo(stats), decimal)),
      PIDs: figure(() => String(stats.pids_stats?.current ?? 0)),
    },
  };
}

function decimal(bytes: number): string {
  return humanSize(bytes, 3);
}

function pair([a, b]: readonly [number, number], format: (value: number) => string): string {
  return `${format(a)} / ${format(b)}`;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

/** The share of one CPU used between the two readings: 200 is two CPUs busy. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0);
  const passed = (now?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const cpus = now?.online_cpus || (now?.cpu_usage?.percpu_usage?.length ?? 0);
  return used > 0 && passed > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Without the file cache that can be dropped: `total_inactive_file` of cgroup v1, `inactive_file` of v2. */
export function memoryUsage({ memory_stats: memory }: ContainerStats): number {
  const usage = memory?.usage ?? 0;
  const cache = [memory?.stats?.['total_inactive_file'], memory?.stats?.['inactive_file']].find(
    (bytes) => bytes !== undefined && bytes < usage,
  );
  return usage - (cache ?? 0);
}

function memoryLimit({ memory_stats: memory }: ContainerStats): number {
  return memory?.limit ?? 0;
}

function memoryPercent(stats: ContainerStats): number {
  const limit = memoryLimit(stats);
  return limit === 0 ? 0 : (memoryUsage(stats) / limit) * 100;
}

function networkIo({ networks }: ContainerStats): [received: number, sent: number] {
  const all = Object.values(networks ?? {});
  return [all.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0), all.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0)];
}

function blockIo({ blkio_stats: blkio }: ContainerStats): [read: number, written: number] {
  const sum = (letter: string): number =>
    (blkio?.io_service_bytes_recursive ?? [])
      .filter(({ op }) => op.charAt(0).toLowerCase() === letter)
      .reduce((total, { value }) => total + value, 0);
  return [sum('r'), sum('w')];
}
