import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError } from '#errors';
import { formatRfc3339Nano, nowNano, parseRfc3339Nano, settlesWithin, type Logger } from '#lib';
import type { ProcessExit } from '#monitor';
import type { NetworkCatalog, Networks } from '#net';
import type { ContainerId } from '#spec';
import type { ContainerLayers } from '#store';
import type { EventBus } from '../events/event-bus.ts';
import { healthAtRest, healthAtStart } from '../health/health.ts';
import { signalNumber } from './create-config.ts';
import { isRestarting, notRunning } from './errors.ts';
import { publishNetworkEvents } from './network-events.ts';
import type { ContainerProcesses } from './processes.ts';
import { canStart, isLive, type ContainerRecord, type Ending, type Phase } from './record.ts';
import type { ContainerRegistry } from './registry.ts';
import { countQuickExits, restartDelayMs, shouldRestart } from './restart-policy.ts';
import { sandboxRequest, type SandboxPlan } from './sandbox.ts';
import { toStartFailure } from './start-error.ts';

export interface LifecycleDeps {
  registry: ContainerRegistry;
  processes: ContainerProcesses;
  layers: ContainerLayers;
  networks: Networks & NetworkCatalog;
  events: EventBus;
  logger: Logger;
  /** Runs containers that name no runtime. */
  defaultRuntime: string;
  failpoint: (name: string) => void;
  /** Told when a container began to run, was paused or resumed, or ended; under its lock. */
  runChanged(record: ContainerRecord): void;
  /** Removes an auto-remove container whose run ended; called under its lock. */
  autoRemove(record: ContainerRecord): Promise<void>;
}

/** Docker's grace period before a stop becomes a kill. */
const defaultStopTimeoutSeconds = 10;
/**
 * A container without a stop signal of its own that ends this soon after a signal was ended by it. dockerd takes any
 * signal for a stop, also one that only made the program reload, and never restarts the container again.
 */
const signalEffectMs = 10_000;
/** After SIGKILL the exit must show within this time; beyond it something is stuck in the kernel. */
const killDeadlineMs = 30_000;

/**
 * Starts, signals, pauses and ends runs of containers.
 *
 * Each container's changes happen under its lock, except waiting for a process to end: the exit takes the lock itself.
 */
export class Lifecycle {
  readonly #deps: LifecycleDeps;

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
  }

  /** @throws notModified when it runs; conflict when it is paused or being removed; Docker's start errors. */
  async start(id: ContainerId): Promise<void> {
    this.#deps.processes.expect();
    using _lock = await this.#deps.registry.locks.lock(id);
    const record = this.#deps.registry.current(id);
    if (record.phase.status === 'paused') {
      throw new EngineError('conflict', 'CONTAINER_PAUSED', 'cannot start a paused container, try unpause instead');
    }
    if (record.phase.status === 'running') {
      throw new EngineError('notModified', 'CONTAINER_RUNNING', 'container is already running');
    }
    if (!canStart(record.phase)) {
      throw new EngineError('conflict', 'CONTAINER_REMOVING', 'container is marked for removal and cannot be started');
    }
    const session = this.#deps.registry.session(id);
    clearTimeout(session.restartTimer);
    session.quickExits = 0;
    session.signalledAtMs = -Infinity;
    await this.#run({ ...record, stoppedByUser: false, restartCount: 0 });
  }

  /** One run, from nothing to the user's program. Under the lock. Any failure leaves nothing of it behind. */
  async #run(created: ContainerRecord): Promise<void> {
    const record = this.#withRuntime(created);
    const { registry, processes, layers, networks, events, failpoint } = this.#deps;
    const session = registry.session(record.id);
    session.runEnded = Promise.withResolvers<void>();
    try {
      await using undo = new AsyncDisposableStack();
      const plan = this.#planSandbox(record);
      undo.defer(() => networks.remove(record.id));
      const sandbox = 'netnsPath' in plan ? plan : await networks.create(plan);
      failpoint('start-after-network');
      undo.defer(() => layers.unmount(record.id));
      const rootfs = await layers.mount(record.id, { volatile: record.hostConfig.AutoRemove });
      failpoint('start-after-mount');
      undo.defer(() => processes.cleanup(record.id));
      const process = await processes.create(record, sandbox, rootfs);
      failpoint('start-after-create');
      await Promise.all([...session.pendingAttaches].map((pending) => pending.connect()));
      session.pendingAttaches.clear();
      await processes.start(record);
      failpoint('start-after-start');
      const startedAt = formatRfc3339Nano(nowNano());
      const health = healthAtStart(record.config, record.health);
      const saved = registry.save(record, { sandbox, health, phase: { status: 'running', ...process, startedAt } });
      undo.move();
      this.#deps.runChanged(saved);
      publishNetworkEvents(events, 'connect', record.id, sandbox.endpoints);
    } catch (cause) {
      await this.#startFailed(record, cause);
    }
    events.publish('container', 'start', record.id, eventAttributes(record));
  }

  /** As dockerd does, the runtime is chosen at the first start, for good. */
  #withRuntime(record: ContainerRecord): ContainerRecord {
    if (record.hostConfig.Runtime) return record;
    return { ...record, hostConfig: { ...record.hostConfig, Runtime: this.#deps.defaultRuntime } };
  }

  #planSandbox(record: ContainerRecord): SandboxPlan {
    const { registry, networks } = this.#deps;
    return sandboxRequest(record, {
      container: (ref) => registry.get(ref),
      network: (ref) => networks.find(ref),
    });
  }

  async #startFailed(record: ContainerRecord, cause: unknown): Promise<never> {
    const { registry, events } = this.#deps;
    const { error, exitCode } = toStartFailure(cause, record.path);
    const previous = registry.current(record.id).phase;
    const now = formatRfc3339Nano(nowNano());
    const phase: Phase =
      previous.status === 'created'
        ? { status: 'created', exitCode, error: error.message }
        : { status: 'exited', exitCode, error: error.message, oomKilled: false, startedAt: now, finishedAt: now };
    const saved = registry.save(record, { phase, sandbox: undefined });
    const session = registry.session(record.id);
    for (const pending of session.pendingAttaches) pending.abandon();
    session.pendingAttaches.clear();
    session.notifyExit({ StatusCode: exitCode, Error: { Message: error.message } });
    events.publish('container', 'die', record.id, { ...eventAttributes(record), exitCode: String(exitCode) });
    if (record.hostConfig.AutoRemove) await this.#deps.autoRemove(saved);
    throw error;
  }

  /** Takes note of a run's end, told by the monitor. */
  async onExit(exit: ProcessExit): Promise<void> {
    const { registry } = this.#deps;
    const known = registry.repository.get(exit.id);
    if (!known) return;
    using _lock = await registry.locks.lock(exit.id);
    const record = registry.repository.get(exit.id);
    if (!record || !isLive(record.phase)) return;
    await this.endRun(record, exit);
  }

  /** Commits the end of a run, tells everybody, cleans up, restarts or removes by policy. Under the lock. */
  async endRun(record: ContainerRecord, exit: { exitCode: number; finishedAt: bigint; error?: string }): Promise<void> {
    const { registry, processes, events, failpoint } = this.#deps;
    if (!isLive(record.phase)) return;
    const { startedAt } = record.phase;
    const runNano = exit.finishedAt - (parseRfc3339Nano(startedAt) ?? exit.finishedAt);
    const ending: Ending = {
      exitCode: exit.exitCode,
      startedAt,
      finishedAt: formatRfc3339Nano(exit.finishedAt),
      oomKilled: processes.wasOomKilled(record),
      error: exit.error ?? '',
    };
    const session = registry.session(record.id);
    const stoppedByUser = record.stoppedByUser || performance.now() - session.signalledAtMs < signalEffectMs;
    const restart = shouldRestart(record.hostConfig.RestartPolicy, { ...ending, ...record, stoppedByUser });
    session.quickExits = countQuickExits(session.quickExits, Number(runNano / 1_000_000n));
    const saved = registry.save(record, {
      phase: { status: restart ? 'restarting' : 'exited', ...ending },
      stoppedByUser,
      health: healthAtRest(record.health),
    });
    this.#deps.runChanged(saved);
    failpoint('exit-after-commit');
    if (ending.oomKilled) events.publish('container', 'oom', record.id, eventAttributes(record));
    events.publish('container', 'die', record.id, {
      ...eventAttributes(record),
      execDuration: String(runNano / 1_000_000_000n),
      exitCode: String(ending.exitCode),
    });
    session.notifyExit({ StatusCode: ending.exitCode });
    publishNetworkEvents(events, 'disconnect', record.id, record.sandbox?.endpoints ?? []);
    if (record.hostConfig.AutoRemove) {
      await this.#deps.autoRemove(saved);
      return;
    }
    // Whoever waits for the exit is answered first: cleaning up stops this thread for a while.
    await nextTurn();
    await this.#cleanUpRun(saved);
    if (restart) this.scheduleRestart(saved);
  }

  async #cleanUpRun(record: ContainerRecord): Promise<void> {
    const { processes, networks, layers, logger } = this.#deps;
    for (const step of [
      () => processes.cleanup(record.id),
      () => networks.remove(record.id),
      () => layers.unmount(record.id),
    ]) {
      try {
        await step();
      } catch (error) {
        logger.error('cleaning up after a container run failed', { container: record.id, error });
      }
    }
  }

  /** Arms the restart of a container in phase `restarting`. */
  scheduleRestart(record: ContainerRecord): void {
    const { registry, logger } = this.#deps;
    const session = registry.session(record.id);
    session.restartTimer = setTimeout(() => {
      void this.#restartByPolicy(record.id).catch((error: unknown) => {
        logger.error('restarting a container failed', { container: record.id, error });
      });
    }, restartDelayMs(session.quickExits));
  }

  async #restartByPolicy(id: ContainerId): Promise<void> {
    const { registry } = this.#deps;
    using _lock = await registry.locks.lock(id);
    const record = registry.repository.get(id);
    if (record?.phase.status !== 'restarting') return;
    await this.#run({ ...record, restartCount: record.restartCount + 1 });
  }

  /** Stop signal, then after the timeout SIGKILL. @throws notModified when it does not run. */
  async stop(id: ContainerId, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void> {
    const record = this.#deps.registry.current(id);
    if (record.phase.status === 'restarting') {
      await this.#cancelRestart(id);
    } else if (isLive(record.phase)) {
      await this.#stopRunning(record, options);
    } else {
      throw new EngineError('notModified', 'CONTAINER_STOPPED', 'container is already stopped');
    }
    this.#deps.events.publish('container', 'stop', id, eventAttributes(record));
  }

  async #cancelRestart(id: ContainerId): Promise<void> {
    const { registry } = this.#deps;
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    if (record.phase.status !== 'restarting') return;
    clearTimeout(registry.session(id).restartTimer);
    registry.save(record, { stoppedByUser: true, phase: { ...record.phase, status: 'exited' } });
  }

  async #stopRunning(
    record: ContainerRecord,
    options: { signal: string; timeoutSeconds?: number | undefined },
  ): Promise<void> {
    const { registry } = this.#deps;
    const ended = registry.session(record.id).runEnded.promise;
    const signal = parseSignal(options.signal || (record.config.StopSignal ?? 'SIGTERM'));
    registry.save(registry.current(record.id), { stoppedByUser: true });
    this.#signal(record, signal);
    const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? defaultStopTimeoutSeconds;
    const stopped = seconds < 0 ? ended.then(() => true) : settlesWithin(ended, seconds * 1000);
    if (await stopped) return this.#settled(record.id);
    await this.killAndWait(record.id);
  }

  /** SIGKILL, and waits until the end is committed and cleaned up. Nothing to do when it does not run. */
  async killAndWait(id: ContainerId): Promise<void> {
    const { registry, processes } = this.#deps;
    const record = registry.repository.get(id);
    if (!record) return;
    if (record.phase.status === 'restarting') return this.#cancelRestart(id);
    if (!isLive(record.phase)) return;
    const ended = registry.session(id).runEnded.promise;
    if (!record.stoppedByUser) registry.save(record, { stoppedByUser: true });
    this.#signal(record, 9);
    if (record.phase.status === 'paused') await processes.resume(record);
    if (!(await settlesWithin(ended, killDeadlineMs))) {
      throw new EngineError(
        'internal',
        'KILL_TIMED_OUT',
        `tried to kill container ${id}, but did not receive an exit event`,
      );
    }
    await this.#settled(id);
  }

  /** Waits for the clean-up that follows an exit, which holds the lock. */
  async #settled(id: ContainerId): Promise<void> {
    (await this.#deps.registry.locks.lock(id))[Symbol.dispose]();
  }

  #signal(record: ContainerRecord, signal: number): void {
    if (!isLive(record.phase)) return;
    this.#deps.processes.signal(record.phase, signal);
    this.#deps.events.publish('container', 'kill', record.id, { ...eventAttributes(record), signal: String(signal) });
  }

  /** @throws conflict when it does not run; invalidArgument for an unknown signal. */
  async kill(id: ContainerId, signalText: string): Promise<void> {
    const signal = parseSignal(signalText === '' ? 'SIGKILL' : signalText);
    const record = this.#deps.registry.current(id);
    if (record.phase.status === 'restarting' && signal === 9) return this.#cancelRestart(id);
    if (!isLive(record.phase)) throw notRunning(id);
    if (signal === 9) return this.killAndWait(id);
    // The container's own stop signal means "stop": restart policies leave it alone then.
    if (signal === parseSignal(record.config.StopSignal ?? 'SIGTERM')) {
      this.#deps.registry.save(record, { stoppedByUser: true });
    }
    if (!record.config.StopSignal) this.#deps.registry.session(id).signalledAtMs = performance.now();
    this.#signal(record, signal);
  }

  async restart(id: ContainerId, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void> {
    const record = this.#deps.registry.current(id);
    if (record.phase.status === 'restarting') await this.#cancelRestart(id);
    else if (isLive(record.phase)) {
      if (record.hostConfig.AutoRemove) await this.#deferAutoRemove(record, () => this.#stopRunning(record, options));
      else await this.#stopRunning(record, options);
      this.#deps.events.publish('container', 'stop', id, eventAttributes(record));
    }
    await this.start(id);
    this.#deps.events.publish('container', 'restart', id, eventAttributes(record));
  }

  /** Restarting an auto-remove container must not remove it in between. */
  async #deferAutoRemove(record: ContainerRecord, stop: () => Promise<void>): Promise<void> {
    const { registry } = this.#deps;
    registry.save(registry.current(record.id), { hostConfig: { ...record.hostConfig, AutoRemove: false } });
    try {
      await stop();
    } finally {
      registry.save(registry.current(record.id), { hostConfig: record.hostConfig });
    }
  }

  async pause(id: ContainerId): Promise<void> {
    const { registry, processes, events } = this.#deps;
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    if (record.phase.status === 'paused') {
      throw new EngineError('conflict', 'CONTAINER_PAUSED', `container ${id} is already paused`);
    }
    if (record.phase.status === 'restarting') throw isRestarting(id);
    if (record.phase.status !== 'running') throw notRunning(id);
    await processes.pause(record);
    const paused = { ...record.phase, status: 'paused' as const };
    this.#deps.runChanged(registry.save(record, { phase: paused, health: healthAtRest(record.health) }));
    events.publish('container', 'pause', id, eventAttributes(record));
  }

  async unpause(id: ContainerId): Promise<void> {
    const { registry, processes, events } = this.#deps;
    using _lock = await registry.locks.lock(id);
    const record = registry.current(id);
    if (record.phase.status !== 'paused') {
      throw new EngineError('internal', 'CONTAINER_NOT_PAUSED', `Container ${id} is not paused`);
    }
    await processes.resume(record);
    this.#deps.runChanged(registry.save(record, { phase: { ...record.phase, status: 'running' } }));
    events.publish('container', 'unpause', id, eventAttributes(record));
  }
}

/** Attributes of a container's events: its labels, image and name. */
export function eventAttributes(record: ContainerRecord): Record<string, string> {
  return { ...record.config.Labels, image: record.config.Image, name: record.name };
}

function parseSignal(text: string): number {
  const number = signalNumber(text);
  if (number === undefined) throw new EngineError('invalidArgument', 'INVALID_SIGNAL', `Invalid signal: ${text}`);
  return number;
}
