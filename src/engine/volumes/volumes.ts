import { EngineError } from '#errors';
import { failpoint, KeyedMutex, type Logger } from '#lib';
import type { VolumeInspect } from '#spec';
import type { Database } from '#store';
import type { Sys } from '#sys';
import type { EventBus } from '../events/event-bus.ts';
import { checkLocalOptions, needsMount } from './local-options.ts';
import { LocalVolumes } from './local-volumes.ts';
import type { DriverVolume, VolumeDriver } from './volume-driver.ts';
import { conflictingDriver, noSuchVolume, volumeFailure } from './volume-errors.ts';
import { checkVolumeName } from './volume-name.ts';
import { type NewVolume, type Volume, VolumeRows } from './volume-rows.ts';

export type { Volume } from './volume-rows.ts';

/** Where drivers other than `local` come from. */
export interface VolumePlugins {
  /** @throws notFound when there is none of that name; unavailable when it does not answer. */
  get(name: string): Promise<VolumeDriver>;
  /** All that can be reached now. */
  all(): Promise<VolumeDriver[]>;
}

export interface VolumesDeps {
  root: string;
  db: Database;
  mounts: Sys['mounts'];
  plugins: VolumePlugins;
  events: EventBus;
  logger: Logger;
}

/** A volume that is being asked for; the driver is empty when any will do. */
export type WantedVolume = NewVolume;

/**
 * All volumes: what there is, and what of it is mounted for whom.
 *
 * A mount is noted before it is made and forgotten after it ended ({@link VolumeRows}), both under the volume's lock, so
 * whatever a kill leaves behind has a note that {@link recover} follows.
 */
export class Volumes {
  readonly rows: VolumeRows;
  readonly #local: LocalVolumes;
  readonly #plugins: VolumePlugins;
  readonly #events: EventBus;
  readonly #logger: Logger;
  readonly #locks = new KeyedMutex();

  constructor({ root, db, mounts, plugins, events, logger }: VolumesDeps) {
    this.rows = new VolumeRows(db);
    this.#local = new LocalVolumes(root, mounts);
    this.#plugins = plugins;
    this.#events = events;
    this.#logger = logger;
  }

  /** Host directory of a local volume, existing or not. */
  path(name: string): string {
    return this.#local.path(name);
  }

  find(name: string): Volume | undefined {
    return this.rows.find(name);
  }

  /** @throws notFound with Docker's text. */
  get(name: string): Volume {
    const volume = this.find(name);
    if (!volume) throw noSuchVolume(name);
    return volume;
  }

  list(): Volume[] {
    return this.rows.list();
  }

  /**
   * Finds out which driver a wanted volume is of and where it is, and has a plugin make it; its row is still to be
   * stored. One that exists already keeps its options and labels, as in Docker.
   *
   * @throws invalidArgument for a bad name or options; conflict when another driver has it; notFound for an unknown driver.
   */
  async prepare(wanted: WantedVolume): Promise<{ driver: string; mountpoint: string }> {
    try {
      return await this.#prepare(wanted);
    } catch (error) {
      throw volumeFailure('create', wanted.name, error);
    }
  }

  async #prepare({
    name,
    driver: wantedDriver,
    options,
  }: WantedVolume): Promise<{ driver: string; mountpoint: string }> {
    const known = this.find(name);
    if (known && wantedDriver !== '' && known.driver !== wantedDriver) throw conflictingDriver(known);
    const driver = known?.driver ?? (wantedDriver || (await this.driverThatHas(name)));
    if (driver === 'local') {
      checkVolumeName(name);
      if (!known && options) checkLocalOptions(options);
      return { driver, mountpoint: this.#local.path(name) };
    }
    const plugin = await this.#plugins.get(driver);
    // A plugin that is just restarting is waited for when it is told to create.
    const existing = await plugin.get(name).catch(() => undefined);
    if (!existing) await plugin.create(name, options ?? null);
    return { driver, mountpoint: existing?.mountpoint ?? '' };
  }

  /** The driver of a name that has no row: it may be one that a plugin knows; else `local`. */
  async driverThatHas(name: string): Promise<string> {
    for (const plugin of await this.#plugins.all()) {
      if ((await plugin.get(name).catch(() => undefined)) !== undefined) return plugin.name;
    }
    return 'local';
  }

  /** Stores a prepared volume unless it exists. True when it is new; the caller publishes its event after the commit. */
  ensureRow(volume: NewVolume): boolean {
    return this.rows.insert(volume);
  }

  announceCreated(name: string): void {
    this.#events.publish('volume', 'create', name, { driver: this.find(name)?.driver ?? 'local' });
  }

  /**
   * Makes a volume usable for `ref` until {@link release}, and answers its directory.
   *
   * @throws internal with Docker's text when it cannot be mounted.
   */
  async acquire(name: string, ref: string): Promise<string> {
    using _lock = await this.#locks.lock(name);
    const volume = this.get(name);
    if (volume.driver === 'local' && !needsMount(volume.options)) return await this.#local.mount(name, null);
    this.rows.addUse(ref, name);
    failpoint('volume-use-noted');
    try {
      const directory = await this.#mount(volume, ref);
      failpoint('volume-mounted');
      return directory;
    } catch (error) {
      await this.#end(name, ref);
      throw error;
    }
  }

  async #mount(volume: Volume, ref: string): Promise<string> {
    if (volume.driver === 'local') return await this.#local.mount(volume.name, volume.options);
    const plugin = await this.#plugins.get(volume.driver);
    try {
      return await plugin.mount(volume.name, ref);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EngineError('internal', 'VOLUME_MOUNT_FAILED', `error while mounting volume '': ${reason}`, {
        cause: error,
      });
    }
  }

  /** Ends every use of volumes by `ref`; the last use of one unmounts it. Repeatable; failures are logged. */
  async release(ref: string): Promise<void> {
    for (const name of this.rows.usesBy(ref)) {
      using _lock = await this.#locks.lock(name);
      await this.#end(name, ref);
    }
  }

  /** Under the volume's lock. As in Docker a driver that fails does not keep the volume from being let go. */
  async #end(name: string, ref: string): Promise<void> {
    const driver = this.find(name)?.driver ?? 'local';
    try {
      if (driver !== 'local') await (await this.#plugins.get(driver)).unmount(name, ref);
      else if (this.rows.usesOf(name).every((user) => user === ref)) this.#local.unmount(name);
    } catch (error) {
      this.#logger.error('unmounting a volume failed', { volume: name, driver, error });
    }
    failpoint('volume-unmounted');
    this.rows.removeUse(ref, name);
  }

  /**
   * Removes a volume that nobody uses. A kill on the way leaves a directory that {@link recover} takes.
   *
   * @throws conflict when something else is mounted in it; with `force` a plugin's failure is passed over.
   */
  async remove(name: string, options: { force: boolean } = { force: false }): Promise<void> {
    using _lock = await this.#locks.lock(name);
    const driver = this.find(name)?.driver ?? (await this.driverThatHas(name));
    if (driver === 'local') {
      this.#local.assertRemovable(name);
    } else {
      await this.#removeFromPlugin(driver, name, options.force);
    }
    failpoint('volume-before-unrecord');
    const existed = this.rows.delete(name);
    failpoint('volume-unrecorded');
    if (driver === 'local') await this.#local.remove(name);
    if (existed) this.#events.publish('volume', 'destroy', name, { driver });
  }

  async #removeFromPlugin(driver: string, name: string, force: boolean): Promise<void> {
    try {
      await (await this.#plugins.get(driver)).remove(name);
    } catch (error) {
      if (!force) throw volumeFailure('remove', name, error);
      this.#logger.warn('a volume was forgotten though its driver failed to remove it', { volume: name, error });
    }
  }

  /** After a kill: ends the uses of everybody who is not alive, and removes what belongs to no volume. */
  async recover(isAlive: (ref: string) => boolean): Promise<void> {
    const gone = this.rows.users().filter((ref) => !isAlive(ref));
    const isPlugins = (ref: string): boolean =>
      this.rows.usesBy(ref).some((name) => this.find(name)?.driver !== 'local');
    // Plugins may come up later than we do, or never.
    for (const ref of gone.filter(isPlugins)) void this.release(ref);
    for (const ref of gone.filter((each) => !isPlugins(each))) await this.release(ref);
    await this.#local.recover(
      (name) => this.rows.usesOf(name).some(isAlive),
      (name) => this.find(name)?.driver === 'local',
    );
  }

  /** A volume as the API shows it, from what we know of it. */
  toWire(volume: Volume, own?: DriverVolume): VolumeInspect {
    const labels = volume.anonymous ? { 'com.docker.volume.anonymous': '', ...volume.labels } : volume.labels;
    return {
      CreatedAt: own ? (own.createdAt ?? '0001-01-01T00:00:00Z') : volume.createdAt,
      Driver: volume.driver,
      Labels: Object.keys(labels).length > 0 ? labels : null,
      Mountpoint: volume.driver === 'local' ? this.path(volume.name) : (own?.mountpoint ?? ''),
      Name: volume.name,
      Options: volume.options,
      Scope: 'local',
    };
  }

  /** @throws notFound with Docker's text, also when the volume's plugin has it no more. */
  async inspect(name: string): Promise<VolumeInspect> {
    const known = this.find(name);
    if (known?.driver === 'local') return this.toWire(known);
    const driver = known?.driver ?? (await this.driverThatHas(name));
    if (driver === 'local') throw noSuchVolume(name);
    const plugin = await this.#plugins.get(driver);
    const own = await plugin.get(name);
    if (!own) {
      this.rows.delete(name);
      throw noSuchVolume(name);
    }
    return { ...this.#pluginsToWire(plugin, own, known), ...(own.status && { Status: own.status }) };
  }

  #pluginsToWire(plugin: VolumeDriver, own: DriverVolume, known: Volume | undefined): VolumeInspect {
    const volume = known ?? {
      name: own.name,
      createdAt: '',
      anonymous: false,
      labels: {},
      driver: plugin.name,
      options: null,
    };
    return { ...this.toWire(volume, own), Scope: plugin.scope };
  }

  /** Every volume there is, those that only plugins know included, and what went wrong while asking them. */
  async listWire(): Promise<{ volumes: VolumeInspect[]; warnings: string[] }> {
    const rows = new Map(this.list().map((volume) => [volume.name, volume]));
    const volumes = [...rows.values()].flatMap((volume) => (volume.driver === 'local' ? [this.toWire(volume)] : []));
    const warnings: string[] = [];
    const asked = new Set<string>();
    for (const plugin of await this.#plugins.all()) {
      asked.add(plugin.name);
      try {
        for (const own of await plugin.list()) {
          const known = rows.get(own.name);
          if (!known || known.driver === plugin.name) volumes.push(this.#pluginsToWire(plugin, own, known));
        }
      } catch (error) {
        asked.delete(plugin.name);
        warnings.push(volumeFailure('list', plugin.name, error).message);
      }
    }
    for (const volume of rows.values()) {
      if (volume.driver !== 'local' && !asked.has(volume.driver)) volumes.push(this.toWire(volume));
    }
    return { volumes, warnings };
  }
}
