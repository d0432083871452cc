import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupLayout } from '#sys';
import type { CgroupFeatures } from '../spec/cgroup-features.ts';

/** A hybrid host counts as version 1: its controllers are there. */
export function readCgroupFeatures(layout: CgroupLayout): CgroupFeatures {
  return layout.mode === 'v2' ? readUnified(layout) : readControllers(layout);
}

function readControllers(layout: CgroupLayout): CgroupFeatures {
  const path = (controller: string, name = ''): string =>
    join(layout.controllerMounts.get(controller) ?? '/nowhere', name);
  const has = (controller: string, name: string): boolean => existsSync(path(controller, name));
  return {
    version: 1,
    memoryLimit: has('memory', 'memory.limit_in_bytes'),
    swapLimit: has('memory', 'memory.memsw.limit_in_bytes'),
    memoryReservation: has('memory', 'memory.soft_limit_in_bytes'),
    swappiness: has('memory', 'memory.swappiness'),
    oomKillDisable: has('memory', 'memory.oom_control'),
    kernelMemoryTcp: has('memory', 'memory.kmem.tcp.limit_in_bytes'),
    cpuShares: has('cpu', 'cpu.shares'),
    cpuQuota: has('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: has('cpu', 'cpu.rt_period_us'),
    cpuset: has('cpuset', 'cpuset.cpus'),
    cpus: readList(path('cpuset', 'cpuset.cpus')) ?? onlineCpus(),
    memoryNodes: readList(path('cpuset', 'cpuset.mems')) ?? onlineNodes(),
    pidsLimit: layout.controllers.includes('pids'),
    ioWeight: has('blkio', 'blkio.weight') || has('blkio', 'blkio.bfq.weight'),
    ioWeightDevice: has('blkio', 'blkio.weight_device') || has('blkio', 'blkio.bfq.weight_device'),
    readBps: has('blkio', 'blkio.throttle.read_bps_device'),
    writeBps: has('blkio', 'blkio.throttle.write_bps_device'),
    readIops: has('blkio', 'blkio.throttle.read_iops_device'),
    writeIops: has('blkio', 'blkio.throttle.write_iops_device'),
  };
}

function readUnified(layout: CgroupLayout): CgroupFeatures {
  const has = (controller: string): boolean => layout.controllers.includes(controller);
  const path = (name: string): string => join(layout.unifiedMount ?? '/nowhere', name);
  return {
    version: 2,
    memoryLimit: has('memory'),
    // Accounting of swap is a choice at the kernel's build or boot, and the root group has none of its files.
    swapLimit: has('memory') && existsSync('/proc/swaps'),
    memoryReservation: has('memory'),
    swappiness: false,
    oomKillDisable: false,
    kernelMemoryTcp: false,
    cpuShares: has('cpu'),
    cpuQuota: has('cpu'),
    cpuRealtime: false,
    cpuset: has('cpuset'),
    cpus: readList(path('cpuset.cpus.effective')) ?? onlineCpus(),
    memoryNodes: readList(path('cpuset.mems.effective')) ?? onlineNodes(),
    pidsLimit: has('pids'),
    ioWeight: has('io'),
    ioWeightDevice: has('io'),
    readBps: has('io'),
    writeBps: has('io'),
    readIops: has('io'),
    writeIops: has('io'),
  };
}

function onlineCpus(): string {
  return readList('/sys/devices/system/cpu/online') ?? '0';
}

function onlineNodes(): string {
  return readList('/sys/devices/system/node/online') ?? '0';
}

function readList(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'latin1').trim();
  return text === '' ? undefined : text;
}
