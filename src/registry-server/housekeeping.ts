import type { Logger } from '#lib';
import type { RegistryConfig } from './config/schema.ts';
import type { Upstream } from './proxy/upstream.ts';
import { collectGarbage } from './storage/collect.ts';
import type { RegistryStorage } from './storage/registry-storage.ts';

/** How often uploads are looked at for expiry, at most. */
const expiryMs = 10 * 60_000;

/** Ends abandoned uploads and collects garbage, when the configuration says so. Dispose waits for what is under way. */
export function startHousekeeping(
  storage: RegistryStorage,
  config: RegistryConfig,
  logger: Logger,
  upstream?: Upstream,
): AsyncDisposable {
  const uploadsMs = config.uploads.expireAfterSeconds * 1000;
  const { everySeconds, graceSeconds, deleteUntagged } = config.collect;
  const jobs = [
    every(Math.min(expiryMs, uploadsMs), async () => {
      const expired = await storage.uploads.expire(Date.now() - uploadsMs);
      if (expired > 0) logger.info('uploads expired', { count: expired });
    }),
    ...(upstream && config.proxy
      ? [
          every(Math.min(expiryMs, config.proxy.keepSeconds * 1000), async () => {
            const expired = await upstream.expire();
            if (expired === 0) return;
            const graceMs = (config.proxy?.keepSeconds ?? 0) * 1000;
            const collected = await collectGarbage(storage, { deleteUntagged: false, graceMs });
            logger.info('cached images expired', { expired, ...collected });
          }),
        ]
      : []),
    ...(everySeconds === 0
      ? []
      : [
          every(everySeconds * 1000, async () => {
            const collected = await collectGarbage(storage, { deleteUntagged, graceMs: graceSeconds * 1000 });
            logger.info('garbage collected', { ...collected });
          }),
        ]),
  ];

  function every(periodMs: number, work: () => Promise<void>): { timer: NodeJS.Timeout; running: () => Promise<void> } {
    let running: Promise<void> | undefined;
    const timer = setInterval(() => {
      running ??= work()
        .catch((error: unknown) => logger.error('housekeeping failed', { error }))
        .finally(() => (running = undefined));
    }, periodMs);
    return { timer, running: () => running ?? Promise.resolve() };
  }

  return {
    [Symbol.asyncDispose]: async () => {
      for (const { timer } of jobs) clearInterval(timer);
      await Promise.all(jobs.map(({ running }) => running()));
    },
  };
}
