import { setTimeout as delay } from 'node:timers/promises';

/** How many times slower than the machines at hand this one is: an emulated one, say. Deadlines are longer by it. */
const slowness = Number(process.env['BERTH_TEST_SLOW'] ?? '1');

export interface UntilOptions {
  /** What is waited for, in the message of the failure. */
  what: string;
  /** 15 s unless told: far beyond anything measured on a loaded two-core machine. */
  timeoutMs?: number;
  intervalMs?: number;
  /** Errors of `check` that make further polling pointless; they are thrown on. */
  giveUp?: (error: unknown) => boolean;
}

/**
 * Polls `check` until it gives something other than undefined or false, and returns that.
 *
 * @throws Error naming `what`, and the last error of `check` as its cause, when the time is over.
 */
export async function until<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs = 15_000, intervalMs = 20, giveUp = () => false }: UntilOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs * slowness;
  let lastError: unknown;
  do {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (error) {
      if (giveUp(error)) throw error;
      lastError = error;
    }
    await delay(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs * slowness} ms in vain for ${what}`, { cause: lastError });
}

/** The value of `promise`, or a failure naming `what` when it takes too long. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 15_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${timeoutMs * slowness} ms in vain for ${what}`)),
      timeoutMs * slowness,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
