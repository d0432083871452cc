import type { RestartPolicy } from '#spec';

const firstDelayMs = 100;
const longestDelayMs = 60_000;
/** A run that lasted this long resets the back-off. */
const healthyRunMs = 10_000;

/** Whether a container whose run ended is started again. */
export function shouldRestart(
  policy: RestartPolicy,
  end: { exitCode: number; restartCount: number; stoppedByUser: boolean },
): boolean {
  if (end.stoppedByUser) return false;
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return end.exitCode !== 0 && (policy.MaximumRetryCount === 0 || end.restartCount < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** How many quick exits in a row there are now: 0 after a run of at least ten seconds. */
export function countQuickExits(before: number, runMs: number): number {
  return runMs >= healthyRunMs ? 0 : before + 1;
}

/** dockerd's delay: 100 ms, doubled with each quick exit, at most a minute. */
export function restartDelayMs(quickExits: number): number {
  return Math.min(firstDelayMs * 2 ** Math.max(0, quickExits - 1), longestDelayMs);
}
