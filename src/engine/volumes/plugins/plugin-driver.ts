import { isKind } from '#errors';
import type { VolumeOptions } from '../local-options.ts';
import type { DriverVolume, VolumeDriver } from '../volume-driver.ts';
import type { PluginClient } from './plugin-client.ts';

const shortMs = 60_000;
const longMs = 120_000;
/** Docker goes on trying for this long when a plugin does not answer the door. */
export const patienceMs = 30_000;

const once = { timeoutMs: shortMs, patienceMs: 0 };

/** Volumes of a plugin, by the methods `VolumeDriver.*` of Docker's protocol. */
export class PluginDriver implements VolumeDriver {
  readonly name: string;
  readonly scope: 'local' | 'global';
  readonly #client: PluginClient;

  private constructor(name: string, client: PluginClient, scope: 'local' | 'global') {
    this.name = name;
    this.#client = client;
    this.scope = scope;
  }

  /** Asks an activated plugin for its scope; one that does not know the question is local. */
  static async open(name: string, client: PluginClient): Promise<PluginDriver> {
    const scope = await client.call('VolumeDriver.Capabilities', {}, once).then(
      ({ Capabilities: own }) => (isObject(own) ? String(own['Scope'] ?? '').toLowerCase() : ''),
      () => '',
    );
    return new PluginDriver(name, client, scope === 'global' ? 'global' : 'local');
  }

  async create(name: string, options: VolumeOptions | null): Promise<void> {
    await this.#client.call('VolumeDriver.Create', { Name: name, Opts: options }, { timeoutMs: longMs, patienceMs });
  }

  async remove(name: string): Promise<void> {
    await this.#client.call('VolumeDriver.Remove', { Name: name }, once);
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    try {
      const { Volume: volume } = await this.#client.call('VolumeDriver.Get', { Name: name }, once);
      return isObject(volume) ? toVolume(volume) : undefined;
    } catch (error) {
      // However a plugin says no, it has none.
      if (isKind(error, 'unavailable')) throw error;
      return undefined;
    }
  }

  async list(): Promise<DriverVolume[]> {
    const { Volumes: volumes } = await this.#client.call('VolumeDriver.List', {}, once);
    return Array.isArray(volumes) ? volumes.filter(isObject).map(toVolume) : [];
  }

  async mount(name: string, ref: string): Promise<string> {
    const body = { Name: name, ID: ref };
    const { Mountpoint } = await this.#client.call('VolumeDriver.Mount', body, { timeoutMs: longMs, patienceMs });
    return typeof Mountpoint === 'string' ? Mountpoint : '';
  }

  async unmount(name: string, ref: string): Promise<void> {
    await this.#client.call('VolumeDriver.Unmount', { Name: name, ID: ref }, once);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function toVolume(own: Record<string, unknown>): DriverVolume {
  const { Name: name, Mountpoint: mountpoint, CreatedAt: createdAt, Status: status } = own;
  return {
    name: typeof name === 'string' ? name : '',
    mountpoint: typeof mountpoint === 'string' ? mountpoint : '',
    createdAt: typeof createdAt === 'string' && createdAt !== '' ? createdAt : undefined,
    status: isObject(status) ? status : undefined,
  };
}
