import { nowNano, type Logger } from '#lib';
import type { Networks, Sandbox } from '#net';
import type { ContainerLayers } from '#store';
import type { Volumes } from '../volumes/volumes.ts';
import type { ContainerDirectories } from './directories.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ContainerProcesses } from './processes.ts';
import { isLive, type ContainerRecord } from './record.ts';
import type { ContainerRegistry } from './registry.ts';
import type { Remover } from './remover.ts';

export interface RecoveryDeps {
  registry: ContainerRegistry;
  lifecycle: Lifecycle;
  remover: Remover;
  processes: ContainerProcesses;
  layers: ContainerLayers;
  networks: Networks;
  volumes: Volumes;
  directories: ContainerDirectories;
  logger: Logger;
  /** IDs the runtime keeps state of. */
  runtimeIds(): Promise<string[]>;
  /** Begins to hear of exits; those that happened while nobody listened are told before this resolves. */
  watchExits(): Promise<void>;
  /** Takes a running container's log into care again. */
  adopt(record: ContainerRecord): void;
}

/** dockerd's exit code for a container whose end nobody saw: the machine went down. */
const lostExitCode = 255;

/**
 * Makes kernel, disk and database agree after a restart, whatever killed the last daemon: what runs is adopted, what
 * ended meanwhile is put on record with its true exit code, half-made or half-removed things go, restart policies go on.
 */
export async function recoverContainers(deps: RecoveryDeps): Promise<void> {
  const { registry, networks, remover, volumes } = deps;
  const running = registry.list().filter((record) => isLive(record.phase) && deps.processes.isAlive(record.phase));
  await networks.reconcile(running.flatMap(sandboxOf));
  await deps.watchExits();
  for (const record of registry.list()) await recoverContainer(record, deps);
  for (const { id, volumes: names } of registry.repository.buried()) await remover.sweep(id, names);
  await sweepStrangers(deps);
  const alive = new Set(registry.list().flatMap(({ id, phase }) => (isLive(phase) ? [id as string] : [])));
  await volumes.recover((id) => alive.has(id));
  for (const record of registry.list()) resumePolicy(record, deps);
}

function sandboxOf(record: ContainerRecord): Sandbox[] {
  return record.sandbox && record.sandbox.containerId === record.id ? [record.sandbox] : [];
}

async function recoverContainer(seen: ContainerRecord, deps: RecoveryDeps): Promise<void> {
  const { registry, lifecycle, processes, networks, layers, logger } = deps;
  using _lock = await registry.locks.lock(seen.id);
  const record = registry.repository.get(seen.id);
  if (!record) return;
  if (isLive(record.phase)) {
    if (processes.isAlive(record.phase)) {
      deps.adopt(record);
      logger.info('adopted a running container', { container: record.id, pid: record.phase.pid });
      return;
    }
    logger.warn('a container ended unseen', { container: record.id });
    await processes.completeLog(record);
    await lifecycle.endRun(record, { exitCode: lostExitCode, finishedAt: nowNano() });
    return;
  }
  if (record.phase.status === 'removing') {
    registry.save(record, { phase: { status: 'dead', was: record.phase.was } });
  }
  await processes.completeLog(record);
  await processes.cleanup(record.id);
  await networks.remove(record.id);
  await layers.unmount(record.id);
}

/** What carries a container's ID and belongs to no container: left by a kill in the middle of a create or remove. */
async function sweepStrangers(deps: RecoveryDeps): Promise<void> {
  const { registry, layers, directories, remover, logger } = deps;
  const layerOwners = layers.list().map((name) => name.split('.')[0] ?? name);
  const found = new Set([...directories.list().containers, ...layerOwners, ...(await deps.runtimeIds())]);
  for (const id of found) {
    if (registry.repository.get(id)) continue;
    logger.info('removing what is left of a container', { container: id });
    await remover.sweep(id, []);
  }
}

/** `always` starts with the daemon, `unless-stopped` unless a user stopped it; a restart that was due is armed again. */
function resumePolicy(record: ContainerRecord, deps: RecoveryDeps): void {
  const { registry, lifecycle } = deps;
  const policy = record.hostConfig.RestartPolicy.Name;
  if (record.phase.status === 'restarting') return lifecycle.scheduleRestart(record);
  if (record.phase.status !== 'exited') return;
  if (policy !== 'always' && !(policy === 'unless-stopped' && !record.stoppedByUser)) return;
  const { exitCode, startedAt, finishedAt, oomKilled, error } = record.phase;
  const phase = { status: 'restarting' as const, exitCode, startedAt, finishedAt, oomKilled, error };
  lifecycle.scheduleRestart(registry.save(record, { phase }));
}
