import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { Logger } from '#lib';
import type { Networks } from '#net';
import type { ContainerId } from '#spec';
import type { ContainerLayers } from '#store';
import type { EventBus } from '../events/event-bus.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { ContainerDirectories } from './directories.ts';
import { removalInProgress } from './errors.ts';
import { eventAttributes, type Lifecycle } from './lifecycle.ts';
import type { ContainerProcesses } from './processes.ts';
import { endingOf, isLive, type ContainerRecord } from './record.ts';
import type { ContainerRegistry } from './registry.ts';

export interface RemoverDeps {
  registry: ContainerRegistry;
  processes: ContainerProcesses;
  layers: ContainerLayers;
  networks: Networks;
  volumes: Volumes;
  directories: ContainerDirectories;
  events: EventBus;
  logger: Logger;
  failpoint: (name: string) => void;
}

/**
 * Removes containers in two steps: one transaction takes the container out of view and leaves a tombstone; then its
 * files and kernel objects go, and the tombstone last. A kill in between is mended from the tombstones at start.
 */
export class Remover {
  readonly #deps: RemoverDeps;
  readonly #sweeping = new Map<string, Promise<void>>();
  readonly #removing = new Set<string>();

  constructor(deps: RemoverDeps) {
    this.#deps = deps;
  }

  /** @throws conflict when it runs and `force` is not given, or is being removed by someone else; notFound. */
  async remove(
    ref: string,
    options: { force: boolean; volumes: boolean; link: boolean },
    lifecycle: Lifecycle,
  ): Promise<void> {
    const { registry } = this.#deps;
    if (options.link) {
      throw new EngineError(
        'notImplemented',
        'LINKS_NOT_IMPLEMENTED',
        `removing the link ${ref}: legacy links are not implemented yet`,
      );
    }
    const { id } = registry.get(ref);
    if (this.#removing.has(id)) throw removalInProgress(ref);
    this.#removing.add(id);
    try {
      this.#checkRemovable(registry.current(id), options.force);
      await lifecycle.killAndWait(id);
      await this.#removeStopped(id, options.volumes);
    } finally {
      this.#removing.delete(id);
    }
  }

  async #removeStopped(id: ContainerId, volumes: boolean): Promise<void> {
    const { registry } = this.#deps;
    using _lock = await registry.locks.lock(id);
    // An auto-remove container is gone by the time it was killed.
    const record = registry.repository.get(id);
    if (!record) return await this.#sweeping.get(id);
    if (isLive(record.phase)) throw runningConflict(record);
    await this.bury(record, { volumes });
  }

  #checkRemovable(record: ContainerRecord, force: boolean): void {
    if (force) return;
    const { status } = record.phase;
    if (status === 'paused') {
      throw new EngineError(
        'conflict',
        'CONTAINER_PAUSED',
        `cannot remove container "/${record.name}": container is paused and must be unpaused first`,
      );
    }
    if (status === 'running' || status === 'restarting') throw runningConflict(record);
  }

  /** Takes a stopped container out of view and sweeps up after it. Under its lock. Resolves when all is gone. */
  async bury(record: ContainerRecord, options: { volumes: boolean }): Promise<void> {
    const { registry, events, failpoint } = this.#deps;
    failpoint('remove-before-commit');
    const volumes = options.volumes ? record.anonymousVolumes : [];
    const session = registry.bury(record, volumes);
    failpoint('remove-after-commit');
    events.publish('container', 'destroy', record.id, eventAttributes(record));
    session.notifyRemoved({ StatusCode: endingOf(record.phase)?.exitCode ?? exitCodeOf(record) });
    // Whoever waits for the removal is answered first: sweeping stops this thread for a while.
    const sweep = nextTurn().then(() => this.sweep(record.id, volumes));
    this.#sweeping.set(record.id, sweep);
    try {
      await sweep;
    } finally {
      this.#sweeping.delete(record.id);
    }
  }

  /** Removes everything that carries the ID of a buried container. Repeatable. */
  async sweep(id: string, volumes: readonly string[]): Promise<void> {
    const { registry, processes, layers, networks, directories, failpoint } = this.#deps;
    const inUse = new Set(registry.list().flatMap((other) => other.mounts.map(({ point }) => point.Name)));
    await processes.forgetLog(id);
    await processes.cleanup(id);
    failpoint('remove-after-processes');
    await networks.remove(id);
    await layers.remove(id);
    for (const name of layers.listOf(id)) await layers.remove(name);
    failpoint('remove-after-layer');
    await directories.remove(id);
    for (const name of volumes) if (!inUse.has(name)) await this.#removeVolume(name);
    failpoint('remove-before-forget');
    registry.repository.forget(id);
  }

  /** As in Docker, a volume that cannot be removed stays, and the container is gone all the same. */
  async #removeVolume(name: string): Promise<void> {
    try {
      await this.#deps.volumes.remove(name);
    } catch (error) {
      this.#deps.logger.warn('removing a volume with its container failed', { volume: name, error });
    }
  }

  /** Sweeps going on now; awaited at shutdown. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sweeping.values());
  }
}

function exitCodeOf(record: ContainerRecord): number {
  return record.phase.status === 'created' ? record.phase.exitCode : 0;
}

function runningConflict(record: ContainerRecord): EngineError {
  return new EngineError(
    'conflict',
    'CONTAINER_RUNNING',
    `cannot remove container "/${record.name}": container is ${record.phase.status}: stop the container before removing or force remove`,
    { details: { id: record.id } },
  );
}
