import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '#lib';
import { noAuthentication } from './auth/authenticator.ts';
import { matchesGlob } from './config/globs.ts';
import type { RegistryConfig } from './config/schema.ts';
import { parseListenAddress } from './http/listen-address.ts';
import { createRegistryServer } from './http/server.ts';
import { type ContentEvents, registryRoutes } from './routes/routes.ts';
import { RegistryStorage, type StorageOptions } from './storage/registry-storage.ts';

/** How often uploads are looked at for expiry, at most. */
const housekeepingMs = 10 * 60_000;

const noEvents: ContentEvents = {
  manifestPulled: () => undefined,
  manifestPushed: () => undefined,
  manifestDeleted: () => undefined,
  blobPulled: () => undefined,
  blobPushed: () => undefined,
  blobDeleted: () => undefined,
};

/** A storage as the configuration wants it. */
export function storageOptions(config: RegistryConfig): StorageOptions {
  return {
    root: config.root,
    maxOpenUploads: config.uploads.maxOpen,
    quotaBytes: (repository) => config.quotas.find((each) => matchesGlob(each.repository, repository))?.bytes,
  };
}

/** A running registry. */
export class Registry {
  readonly storage: RegistryStorage;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;

  private constructor(storage: RegistryStorage, server: Server, timer: NodeJS.Timeout) {
    this.storage = storage;
    this.#server = server;
    this.#timer = timer;
  }

  /** Opens the storage and listens. */
  static async open(config: RegistryConfig, logger: Logger): Promise<Registry> {
    const storage = await RegistryStorage.open(storageOptions(config));
    try {
      const server = createRegistryServer({
        routes: registryRoutes(storage, config.uploads, noEvents),
        extras: { '/healthz': (_request, response) => void response.end('ok\n') },
        authenticator: noAuthentication,
        logger,
        onAnswered: ({ path, ...rest }) => config.accessLog && logger.info('request', { path, ...rest }),
      });
      server.listen(parseListenAddress(config.listen));
      await once(server, 'listening');
      const expiryMs = config.uploads.expireAfterSeconds * 1000;
      const timer = setInterval(
        () => {
          storage.uploads
            .expire(Date.now() - expiryMs)
            .catch((error: unknown) => logger.error('expiring uploads failed', { error }));
        },
        Math.min(housekeepingMs, expiryMs),
      );
      return new Registry(storage, server, timer);
    } catch (error) {
      storage[Symbol.dispose]();
      throw error;
    }
  }

  /** Where it listens: `127.0.0.1:5000`. */
  get address(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Takes no more requests, lets those under way end for `drainMs`, and closes the storage. */
  async close(drainMs: number): Promise<void> {
    clearInterval(this.#timer);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), drainMs);
    await closed;
    clearTimeout(timer);
    this.storage[Symbol.dispose]();
  }
}
