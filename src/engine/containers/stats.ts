import { setTimeout as delay } from 'node:timers/promises';
import { formatRfc3339Nano, nowNano, ZERO_TIME } from '#lib';
import type { Networks } from '#net';
import type { ContainerId } from '#spec';
import type { CgroupReading } from './cgroup-reading.ts';
import { isLive, type ContainerRecord } from './record.ts';
import type { ContainerRegistry } from './registry.ts';

export interface StatsDeps {
  registry: ContainerRegistry;
  networks: Networks;
  /** Undefined when the cgroup is gone. */
  readCgroup(record: ContainerRecord): CgroupReading | undefined;
  cgroupPids(record: ContainerRecord): number[];
  /** CPU time of the whole machine in nanoseconds, and its CPUs. */
  readSystemCpu(): { totalNs: number; onlineCpus: number };
}

const intervalMs = 1000;
const emptyCpu = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

interface Sample {
  time: string;
  cpu: unknown;
  reading: CgroupReading;
}

/** Docker's stats objects, read from the kernel when asked for. */
export class StatsReader {
  readonly #deps: StatsDeps;

  constructor(deps: StatsDeps) {
    this.#deps = deps;
  }

  /** Pids of a live container's processes, as this host counts. */
  processIds(record: ContainerRecord): Set<number> {
    return new Set(this.#deps.cgroupPids(record));
  }

  /**
   * A stats object per second when `stream`, else one: with two samples a second apart unless `oneShot`. A container
   * that does not run yields an empty object; a stream ends when the container is removed.
   */
  async *read(
    id: ContainerId,
    options: { stream: boolean; oneShot: boolean; signal: AbortSignal },
  ): AsyncGenerator<unknown> {
    let previous: Sample | undefined;
    for (let round = 0; !options.signal.aborted; round++) {
      const record = this.#deps.registry.repository.get(id);
      if (!record) return;
      const sample = this.#sample(record);
      const complete = options.stream || options.oneShot || !sample || previous !== undefined;
      if (complete) yield this.#toWire(record, sample, previous);
      if (complete && !options.stream) return;
      previous = sample;
      await delay(intervalMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }

  #sample(record: ContainerRecord): Sample | undefined {
    if (!isLive(record.phase)) return undefined;
    const reading = this.#deps.readCgroup(record);
    if (!reading) return undefined;
    const { totalNs, onlineCpus } = this.#deps.readSystemCpu();
    const cpu = { ...reading.cpuStats, system_cpu_usage: totalNs, online_cpus: onlineCpus };
    return { time: formatRfc3339Nano(nowNano()), cpu, reading };
  }

  #toWire(record: ContainerRecord, sample: Sample | undefined, previous: Sample | undefined): unknown {
    return {
      read: sample?.time ?? ZERO_TIME,
      preread: previous?.time ?? ZERO_TIME,
      pids_stats: sample?.reading.pidsStats ?? {},
      blkio_stats: sample?.reading.blkioStats ?? emptyBlkio(),
      num_procs: 0,
      storage_stats: {},
      cpu_stats: sample?.cpu ?? emptyCpu,
      precpu_stats: previous?.cpu ?? emptyCpu,
      memory_stats: sample?.reading.memoryStats ?? {},
      name: `/${record.name}`,
      id: record.id,
      ...this.#networkStats(record, sample),
    };
  }

  #networkStats(record: ContainerRecord, sample: Sample | undefined): Record<string, unknown> {
    if (!sample || record.hostConfig.NetworkMode === 'host' || record.hostConfig.NetworkMode === 'none') return {};
    const byInterface = this.#deps.networks.stats(record.sandbox?.containerId ?? record.id);
    const networks = Object.entries(byInterface).map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]);
    return { networks: Object.fromEntries(networks) };
  }
}

function emptyBlkio(): Record<string, null> {
  return {
    io_service_bytes_recursive: null,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}
