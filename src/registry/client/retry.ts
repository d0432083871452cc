import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, isTransient, retryAfterOf } from './failures.ts';
import type { RegistryLimits } from './limits.ts';

/** Half of the doubled delay is fixed, half by chance, so that many clients do not come back at the same moment. */
export function backoffMs(attempt: number, limits: RegistryLimits, random: () => number = Math.random): number {
  const full = Math.min(limits.longestDelayMs, limits.firstDelayMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (random() * full) / 2);
}

/**
 * How long to wait after the `attempt`th failure (from 1), or undefined when trying again is pointless: the failure is no passing one,
 * enough has been tried, or the registry wants a longer pause than anybody waits for.
 */
export function retryDelayMs(error: unknown, attempt: number, limits: RegistryLimits): number | undefined {
  if (!isTransient(error) || attempt >= limits.attempts) return undefined;
  const wanted = retryAfterOf(error);
  if (wanted === undefined) return backoffMs(attempt, limits);
  return wanted > limits.longestRetryAfterMs ? undefined : Math.max(wanted, backoffMs(attempt, limits));
}

/** @throws cancelled when `signal` aborts. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(delayMs, undefined, { signal });
  } catch {
    throw cancelled(signal);
  }
}

/** Repeats `work` while its failures pass. */
export async function retrying<T>(
  work: () => Promise<T>,
  options: { limits: RegistryLimits; signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (options.signal.aborted) throw cancelled(options.signal);
      const delayMs = retryDelayMs(error, attempt, options.limits);
      if (delayMs === undefined) throw error;
      await pause(delayMs, options.signal);
    }
  }
}
