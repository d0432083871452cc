import { formatGoDuration, formatRfc3339Nano, nowNano, parseRfc3339Nano, type Logger } from '#lib';
import type { ContainerId } from '#spec';
import { eventAttributes } from '../containers/lifecycle.ts';
import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import type { EventBus } from '../events/event-bus.ts';
import { healthAfter, probeCommand, probeDelayMs, probeTimeoutNs, type ProbeResult } from './health.ts';
import { ProbeOutput } from './probe-output.ts';

/** Runs a command in a running container, seen by no client. */
export interface ProbeRunner {
  /**
   * Resolves when the process is gone. It is killed when `timeoutMs` have passed since it started, or `signal` aborts.
   *
   * @returns its exit code; undefined if it was killed.
   */
  runProbe(
    containerId: ContainerId,
    command: string[],
    options: { output: ProbeOutput; timeoutMs: number; signal: AbortSignal },
  ): Promise<number | undefined>;
}

export interface HealthChecksDeps {
  registry: ContainerRegistry;
  probes: ProbeRunner;
  events: EventBus;
  logger: Logger;
}

/** The probing of one run. */
interface Watch {
  readonly startedAt: string;
  readonly stop: AbortController;
  timer: NodeJS.Timeout | undefined;
}

/** What a timer can wait at most. */
const longestDelayMs = 2 ** 31 - 1;

/**
 * Probes running containers on schedule: one timer each, one probe of a container at a time.
 *
 * A result is stored and told under the container's lock, and only while the run that it belongs to goes on unpaused.
 */
export class HealthChecks {
  readonly #deps: HealthChecksDeps;
  readonly #watches: Map<ContainerId, Watch>;

  constructor(deps: HealthChecksDeps) {
    this.#deps = deps;
    this.#watches = new Map();
  }

  /** A container began to run, was resumed, paused or ended: probes it from now on, or no more. Repeatable. */
  update(record: ContainerRecord): void {
    this.#update(record, Date.now());
  }

  /** A container that ran before this daemon did: goes on where the last daemon was. */
  adopt(record: ContainerRecord): void {
    if (record.phase.status !== 'running') return;
    const startedAtMs = toMs(record.phase.startedAt);
    this.#update(record, Math.max(startedAtMs, toMs(record.health?.Log.at(-1)?.End ?? '')));
  }

  /** Ends all probing and kills the probes that run. */
  close(): void {
    for (const id of this.#watches.keys()) this.#unwatch(id);
  }

  #update(record: ContainerRecord, fromMs: number): void {
    const { id, phase, config, health } = record;
    const running = phase.status === 'running' && health !== undefined && probeCommand(config) !== undefined;
    const watched = this.#watches.get(id);
    if (running && watched?.startedAt === phase.startedAt) return;
    this.#unwatch(id);
    if (!running) return;
    const watch: Watch = { startedAt: phase.startedAt, stop: new AbortController(), timer: undefined };
    this.#watches.set(id, watch);
    this.#schedule(record, watch, fromMs);
  }

  #unwatch(id: ContainerId): void {
    const watch = this.#watches.get(id);
    if (!watch) return;
    this.#watches.delete(id);
    clearTimeout(watch.timer);
    watch.stop.abort();
  }

  #schedule(record: ContainerRecord, watch: Watch, fromMs: number): void {
    const startedAtMs = toMs(watch.startedAt);
    const status = record.health?.Status ?? 'starting';
    const delayMs = probeDelayMs(record.config.Healthcheck ?? {}, { startedAtMs, status, fromMs });
    const leftMs = Math.min(Math.max(0, Math.ceil(fromMs + delayMs - Date.now())), longestDelayMs);
    watch.timer = setTimeout(() => {
      void this.#probe(record.id, watch).catch((error: unknown) => {
        this.#deps.logger.error('a health check failed', { container: record.id, error });
      });
    }, leftMs);
  }

  async #probe(id: ContainerId, watch: Watch): Promise<void> {
    const { registry } = this.#deps;
    const before = registry.repository.get(id);
    if (!before) return;
    const result = await this.#run(before, watch.stop.signal);
    using _lock = await registry.locks.lock(id);
    const record = registry.repository.get(id);
    if (!record || watch.stop.signal.aborted) return;
    const saved = this.#store(record, result, toMs(watch.startedAt));
    this.#schedule(saved, watch, Date.now());
  }

  async #run(record: ContainerRecord, signal: AbortSignal): Promise<ProbeResult> {
    const start = formatRfc3339Nano(nowNano());
    const output = new ProbeOutput();
    const timeoutNs = probeTimeoutNs(record.config.Healthcheck ?? {});
    const finish = (exitCode: number, text: string): ProbeResult => ({
      Start: start,
      End: formatRfc3339Nano(nowNano()),
      ExitCode: exitCode,
      Output: text,
    });
    try {
      const timeoutMs = timeoutNs / 1_000_000;
      const command = probeCommand(record.config) ?? [];
      const exitCode = await this.#deps.probes.runProbe(record.id, command, { output, timeoutMs, signal });
      if (exitCode !== undefined) return finish(exitCode, output.text());
      const late = `Health check exceeded timeout (${formatGoDuration(BigInt(timeoutNs))})`;
      return finish(-1, output.text() === '' ? late : `${late}: ${output.text()}`);
    } catch (error) {
      return finish(-1, error instanceof Error ? error.message : String(error));
    }
  }

  #store(record: ContainerRecord, result: ProbeResult, startedAtMs: number): ContainerRecord {
    const { registry, events } = this.#deps;
    const before = record.health ?? { Status: 'starting', FailingStreak: 0, Log: [] };
    const health = healthAfter(before, result, record.config.Healthcheck ?? {}, startedAtMs);
    const saved = registry.saveRelaxed(record, { health });
    if (health.Status !== before.Status) {
      events.publish('container', `health_status: ${health.Status}`, record.id, eventAttributes(record));
    }
    return saved;
  }
}

function toMs(time: string): number {
  return Number((parseRfc3339Nano(time) ?? 0n) / 1_000_000n);
}
