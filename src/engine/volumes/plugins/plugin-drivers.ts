import { EngineError } from '#errors';
import { KeyedMutex, type Logger } from '#lib';
import type { VolumeDriver } from '../volume-driver.ts';
import type { VolumePlugins } from '../volumes.ts';
import { findPlugin, listPlugins, type PluginAddress, type PluginDirectories } from './discovery.ts';
import { PluginClient } from './plugin-client.ts';
import { patienceMs, PluginDriver } from './plugin-driver.ts';

const activateMs = 60_000;

interface Activated {
  address: string;
  /** Undefined for a plugin of another kind. */
  driver: PluginDriver | undefined;
}

/** Volume drivers of plugins found by their files. Each is activated once, when it is first needed. */
export class PluginDrivers implements VolumePlugins {
  readonly #directories: PluginDirectories;
  readonly #logger: Logger;
  readonly #activated = new Map<string, Activated>();
  readonly #locks = new KeyedMutex();

  constructor(directories: PluginDirectories, logger: Logger) {
    this.#directories = directories;
    this.#logger = logger;
  }

  /** Names of the drivers activated so far. */
  get names(): string[] {
    return [...this.#activated].flatMap(([name, { driver }]) => (driver ? [name] : [])).toSorted();
  }

  /** @throws notFound with Docker's text; unavailable when it does not answer. */
  async get(name: string): Promise<VolumeDriver> {
    const driver = await this.#find(name, patienceMs);
    if (driver) return driver;
    throw new EngineError(
      'notFound',
      'NO_SUCH_DRIVER',
      `error looking up volume plugin ${name}: plugin ${JSON.stringify(name)} not found`,
    );
  }

  async all(): Promise<VolumeDriver[]> {
    const found = await Promise.all(
      listPlugins(this.#directories).map(async (name) => {
        try {
          return await this.#find(name, 0);
        } catch (error) {
          this.#logger.warn('a plugin cannot be reached', { plugin: name, error });
          return undefined;
        }
      }),
    );
    return found.filter((driver) => driver !== undefined);
  }

  /** Undefined when there is none, or it is no volume driver. */
  async #find(name: string, patience: number): Promise<PluginDriver | undefined> {
    const address = findPlugin(name, this.#directories);
    // One that was here before is perhaps just restarting: its calls are tried again for a while.
    if (!address) return patience > 0 ? this.#activated.get(name)?.driver : undefined;
    using _lock = await this.#locks.lock(name);
    const known = this.#activated.get(name);
    if (known?.address === JSON.stringify(address)) return known.driver;
    const driver = await this.#activate(name, address, patience);
    this.#activated.set(name, { address: JSON.stringify(address), driver });
    return driver;
  }

  async #activate(name: string, address: PluginAddress, patience: number): Promise<PluginDriver | undefined> {
    const client = new PluginClient(address);
    const manifest = await client.call('Plugin.Activate', undefined, { timeoutMs: activateMs, patienceMs: patience });
    const kinds = Array.isArray(manifest['Implements']) ? manifest['Implements'] : [];
    return kinds.includes('VolumeDriver') ? await PluginDriver.open(name, client) : undefined;
  }
}
