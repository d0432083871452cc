import { EngineError } from '#errors';
import type { CgroupFeatures } from '#runtime';
import type { HostConfig } from '#spec';
import type { EventBus } from '../events/event-bus.ts';
import { eventAttributes } from './lifecycle.ts';
import type { ContainerProcesses } from './processes.ts';
import { isLive } from './record.ts';
import type { ContainerRegistry } from './registry.ts';
import { checkResources } from './resource-checks.ts';
import { checkRestartPolicy } from './setting-checks.ts';

export interface UpdaterDeps {
  registry: ContainerRegistry;
  processes: ContainerProcesses;
  events: EventBus;
  features: CgroupFeatures;
}

/** Settings that an update changes; zero, empty or null leaves them as they are. */
const changeable = [
  'BlkioWeight',
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
] as const;

/**
 * A container's settings after an update.
 *
 * @throws conflict with Docker's texts where old and new contradict each other.
 */
export function mergeUpdate(old: HostConfig, changes: HostConfig): HostConfig {
  const conflicts: [boolean, string][] = [
    [changes.NanoCpus > 0 && old.CpuPeriod > 0, 'Nano CPUs cannot be updated as CPU Period has already been set'],
    [changes.NanoCpus > 0 && old.CpuQuota > 0, 'Nano CPUs cannot be updated as CPU Quota has already been set'],
    [changes.CpuPeriod > 0 && old.NanoCpus > 0, 'CPU Period cannot be updated as NanoCPUs has already been set'],
    [changes.CpuQuota > 0 && old.NanoCpus > 0, 'CPU Quota cannot be updated as NanoCPUs has already been set'],
  ];
  const first = conflicts.find(([holds]) => holds);
  if (first) throw conflict(`Conflicting options: ${first[1]}`);
  if (changes.Memory > old.MemorySwap && changes.MemorySwap === 0) {
    throw conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  const { RestartPolicy: policy } = changes;
  if (old.AutoRemove && policy.Name !== '' && policy.Name !== 'no') {
    throw conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const given = changeable.filter((key) => changes[key] !== 0 && changes[key] !== '' && changes[key] !== null);
  return {
    ...old,
    ...Object.fromEntries(given.map((key) => [key, changes[key]])),
    ...(changes.PidsLimit === null ? {} : { PidsLimit: changes.PidsLimit }),
    ...(policy.Name === '' ? {} : { RestartPolicy: policy }),
  };
}

function conflict(message: string): EngineError {
  return new EngineError('conflict', 'UPDATE_CONFLICT', message);
}

/** Changes limits and restart policies of containers, running ones included. */
export class Updater {
  readonly #deps: UpdaterDeps;

  constructor(deps: UpdaterDeps) {
    this.#deps = deps;
  }

  async update(ref: string, request: HostConfig): Promise<{ Warnings: string[] }> {
    const { registry, processes, events, features } = this.#deps;
    const changes = { ...request };
    checkRestartPolicy(changes.RestartPolicy);
    const warnings = checkResources(changes, features, true);
    const { id } = registry.get(ref);
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    try {
      if (record.phase.status === 'removing' || record.phase.status === 'dead') {
        throw conflict('container is marked for removal and cannot be "update"');
      }
      const hostConfig = mergeUpdate(record.hostConfig, changes);
      // The kernel first: what it refuses is not put on record.
      if (isLive(record.phase)) await processes.update(record, changes);
      const updated = registry.save(registry.current(id), { hostConfig });
      events.publish('container', 'update', id, eventAttributes(updated));
    } catch (cause) {
      const kind = cause instanceof EngineError ? cause.kind : 'internal';
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError(kind, 'UPDATE_FAILED', `Cannot update container ${id}: ${message}`, { cause });
    }
    return { Warnings: warnings };
  }
}
