import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from '#lib';
import { openAuthentication } from './auth/open-authentication.ts';
import { matchesGlob } from './config/globs.ts';
import type { RegistryConfig } from './config/schema.ts';
import { listenForTasks, perform } from './control.ts';
import { parseListenAddress } from './http/listen-address.ts';
import { createRegistryServer, type ServerParts } from './http/server.ts';
import { Notifications } from './events/notifications.ts';
import { readTlsFiles, watchTlsFiles } from './http/tls.ts';
import { startHousekeeping } from './housekeeping.ts';
import { RegistryMetrics } from './metrics.ts';
import { proxyRoutes } from './proxy/proxy-routes.ts';
import { Upstream } from './proxy/upstream.ts';
import { registryRoutes } from './routes/routes.ts';
import { RegistryStorage, type StorageOptions } from './storage/registry-storage.ts';

/** A storage as the configuration wants it. */
export function storageOptions(config: RegistryConfig): StorageOptions {
  return {
    root: config.root,
    maxOpenUploads: config.uploads.maxOpen,
    quotaBytes: (repository) => config.quotas.find((each) => matchesGlob(each.repository, repository))?.bytes,
  };
}

/** A running registry. Its parts are opened from the storage upwards and closed in reverse. */
export class Registry {
  readonly #server: Server;
  readonly #parts: AsyncDisposableStack;

  private constructor(server: Server, parts: AsyncDisposableStack) {
    this.#server = server;
    this.#parts = parts;
  }

  /** Opens the storage and listens. */
  static async open(config: RegistryConfig, logger: Logger): Promise<Registry> {
    await using parts = new AsyncDisposableStack();
    const storage = parts.use(await RegistryStorage.open(storageOptions(config)));
    const authentication = parts.use(openAuthentication(config));
    const notifications = parts.use(new Notifications(storage, config.notifications, logger));
    const upstream = config.proxy && parts.use(new Upstream(storage, config.proxy, logger));
    parts.use(startHousekeeping(storage, config, logger, upstream));
    const control = await listenForTasks(config.root, async (task) => await perform(storage, task));
    parts.defer(() => void control.close());
    const metrics = config.metrics ? new RegistryMetrics(storage) : undefined;
    const routes = registryRoutes(storage, config.uploads, notifications);
    const server = parts.use(
      createServer(config, logger, {
        routes: upstream ? proxyRoutes(routes, storage, upstream) : routes,
        extras: {
          '/healthz': (_request, response) => void response.end('ok\n'),
          ...(metrics ? { '/metrics': async (_request, response) => await metrics.send(response) } : {}),
          ...authentication.handlers,
        },
        authenticator: authentication.authenticator,
        logger,
        onAnswered: (answered) => {
          metrics?.observe(answered);
          if (config.accessLog) logger.info('request', { ...answered });
        },
      }),
    );
    server.http.listen(parseListenAddress(config.listen));
    await once(server.http, 'listening');
    return new Registry(server.http, parts.move());
  }

  /** Where it listens: `127.0.0.1:5000`. */
  get address(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Takes no more requests, lets those under way end for `drainMs`, and closes the storage. */
  async close(drainMs: number): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), drainMs);
    await closed;
    clearTimeout(timer);
    await this.#parts.disposeAsync();
  }
}

/** The server with its TLS files watched; disposing it only ends the watching. */
function createServer(
  config: RegistryConfig,
  logger: Logger,
  parts: ServerParts,
): { http: Server; [Symbol.dispose]: () => void } {
  const { tls } = config;
  if (!tls) return { http: createRegistryServer(parts), [Symbol.dispose]: () => undefined };
  const http = createRegistryServer(parts, readTlsFiles(tls));
  const watch = watchTlsFiles(tls, (options) => http instanceof TlsServer && http.setSecureContext(options), logger);
  return { http, [Symbol.dispose]: () => watch[Symbol.dispose]() };
}
