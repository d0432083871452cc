import { parseRfc3339Nano } from '#lib';
import type { ContainerConfig, HealthConfig, HealthState } from '#spec';

/** One finished probe. */
export type ProbeResult = HealthState['Log'][number];

const defaultIntervalMs = 30_000;
const defaultTimeoutNs = 30_000_000_000;
const defaultStartIntervalMs = 5000;
const defaultRetries = 3;
const keptResults = 5;

/** The command of a container's health check; undefined when it has none. */
export function probeCommand(config: ContainerConfig): string[] | undefined {
  const [kind, ...words] = config.Healthcheck?.Test ?? [];
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  if (kind !== 'CMD-SHELL') return undefined;
  const shell = config.Shell && config.Shell.length > 0 ? config.Shell : ['/bin/sh', '-c'];
  return [...shell, ...words];
}

/** Nanoseconds a probe may take. */
export function probeTimeoutNs(health: HealthConfig): number {
  return health.Timeout || defaultTimeoutNs;
}

/**
 * Milliseconds during which failures do not count.
 *
 * dockerd ignores a start interval without a start period (moby#49900). Here it is followed during the first regular
 * interval, in which dockerd probes not at all: good news comes sooner, bad news no sooner than there.
 */
function startPeriodMs(health: HealthConfig): number {
  if (health.StartPeriod) return toMs(health.StartPeriod);
  return health.StartInterval ? intervalMs(health) : 0;
}

function intervalMs(health: HealthConfig): number {
  return health.Interval ? toMs(health.Interval) : defaultIntervalMs;
}

function toMs(nano: number): number {
  return nano / 1_000_000;
}

/** A run of a container as far as its probes care. Times are milliseconds since the epoch. */
export interface ProbeMoment {
  startedAtMs: number;
  status: HealthState['Status'];
  /** When the wait begins: the run's start, or the end of the probe before. */
  fromMs: number;
}

/** How long to wait for the next probe. */
export function probeDelayMs(health: HealthConfig, { startedAtMs, status, fromMs }: ProbeMoment): number {
  const untilPeriodEnds = startedAtMs + startPeriodMs(health) - fromMs;
  if (status !== 'starting' || untilPeriodEnds <= 0) return intervalMs(health);
  const startIntervalMs = health.StartInterval ? toMs(health.StartInterval) : defaultStartIntervalMs;
  return Math.min(startIntervalMs, untilPeriodEnds);
}

/** Health at the start of a run; the results of the run before stay readable, as in dockerd. */
export function healthAtStart(config: ContainerConfig, before: HealthState | undefined): HealthState | undefined {
  if (probeCommand(config) === undefined) return before;
  return { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] };
}

/** Health while nobody probes: dockerd calls a stopped or paused container unhealthy, without an event. */
export function healthAtRest(before: HealthState | undefined): HealthState | undefined {
  return before && { ...before, Status: 'unhealthy' };
}

/** Health after one more probe of a run that started at `startedAtMs`. */
export function healthAfter(
  before: HealthState,
  result: ProbeResult,
  health: HealthConfig,
  startedAtMs: number,
): HealthState {
  const Log = [...before.Log.slice(1 - keptResults), result];
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  const begunMs = Number((parseRfc3339Nano(result.Start) ?? 0n) / 1_000_000n);
  // One that the end of the period itself brought about counts.
  if (before.Status === 'starting' && Math.ceil(begunMs - startedAtMs) < startPeriodMs(health))
    return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  const failed = FailingStreak >= ((health.Retries ?? 0) > 0 ? (health.Retries ?? 0) : defaultRetries);
  return { Status: failed ? 'unhealthy' : before.Status, FailingStreak, Log };
}
