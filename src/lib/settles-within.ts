/** Whether `promise` fulfils within `ms`, and before `signal` aborts. Rejects if it does. */
export async function settlesWithin(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const giveUp = (): void => resolve(false);
  const timer = setTimeout(giveUp, Math.min(ms, 2 ** 31 - 1));
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}
