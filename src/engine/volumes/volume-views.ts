import { EngineError } from '#errors';
import { randomHex } from '#lib';
import type { VolumeCreateRequest, VolumeInspect, VolumeListResponse } from '#spec';
import { matchesLabel } from '../containers/list-filter.ts';
import { checkVolumeName } from '../containers/mounts.ts';
import type { Volume, Volumes } from './volumes.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
const known = new Set(['dangling', 'driver', 'label', 'label!', 'name']);

/** The volume use cases, as the API's routes call them. */
export class VolumeViews {
  readonly #volumes: Volumes;
  readonly #usersOf: (name: string) => string[];
  readonly #sizeBytes: (name: string) => number;

  /** `usersOf` answers the IDs of the containers that have the volume. */
  constructor(volumes: Volumes, usersOf: (name: string) => string[], sizeBytes: (name: string) => number) {
    this.#volumes = volumes;
    this.#usersOf = usersOf;
    this.#sizeBytes = sizeBytes;
  }

  /** @throws invalidArgument for an unknown filter. */
  list(filters: Filters): Promise<VolumeListResponse> {
    for (const key of filters.keys()) {
      if (!known.has(key)) throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
    }
    const chosen = this.#volumes
      .list()
      .filter((volume) => [...filters].every(([key, values]) => this.#matches(volume, key, values)));
    return Promise.resolve({ Volumes: chosen.map((volume) => this.#volumes.toWire(volume)), Warnings: null });
  }

  /** @throws notFound with Docker's text. */
  inspect(name: string): Promise<VolumeInspect> {
    return Promise.resolve(this.#volumes.inspect(name));
  }

  /**
   * The volume of that name, made if it is not there.
   *
   * @throws invalidArgument for a bad name, notImplemented for a driver or options we do not have.
   */
  create(request: VolumeCreateRequest): Promise<VolumeInspect> {
    const name = request.Name === '' ? randomHex(32) : request.Name;
    checkVolumeName(name);
    if (request.Driver !== '' && request.Driver !== 'local') {
      throw new EngineError(
        'notFound',
        'NO_SUCH_DRIVER',
        `error looking up volume plugin ${request.Driver}: plugin "${request.Driver}" not found`,
      );
    }
    if (Object.keys(request.DriverOpts ?? {}).length > 0) {
      throw new EngineError(
        'notImplemented',
        'VOLUME_OPTIONS_NOT_IMPLEMENTED',
        'options of the local volume driver: not implemented yet',
      );
    }
    const isNew = this.#volumes.ensureRow(name, { anonymous: request.Name === '', labels: request.Labels ?? {} });
    if (isNew) this.#volumes.announceCreated(name);
    return Promise.resolve(this.#volumes.inspect(name));
  }

  /** @throws conflict with Docker's text when a container uses it; notFound, unless `force`. */
  remove(name: string, options: { force: boolean }): Promise<void> {
    const volume = this.#volumes.find(name);
    if (!volume && options.force) return Promise.resolve();
    this.#volumes.get(name);
    const users = this.#usersOf(name);
    if (users.length > 0) {
      throw new EngineError('conflict', 'VOLUME_IN_USE', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    this.#volumes.remove(name);
    return Promise.resolve();
  }

  /** Removes unused volumes: anonymous ones, with `all` every one. Filters: `label`, `label!`, `all`. */
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    for (const key of filters.keys()) {
      if (key !== 'label' && key !== 'label!' && key !== 'all') {
        throw new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${key}'`);
      }
    }
    const all = (filters.get('all') ?? []).some((value) => value === 'true' || value === '1');
    const labels = [...filters].filter(([key]) => key !== 'all');
    const chosen = this.#volumes
      .list()
      .filter(
        (volume) =>
          (all || volume.anonymous) &&
          this.#usersOf(volume.name).length === 0 &&
          labels.every(([key, values]) => this.#matches(volume, key, values)),
      );
    let reclaimed = 0;
    for (const { name } of chosen) {
      reclaimed += this.#sizeBytes(name);
      this.#volumes.remove(name);
    }
    return Promise.resolve({ VolumesDeleted: chosen.map(({ name }) => name), SpaceReclaimed: reclaimed });
  }

  #matches(volume: Volume, key: string, values: readonly string[]): boolean {
    if (values.length === 0) return true;
    const labels = this.#volumes.toWire(volume).Labels ?? {};
    switch (key) {
      case 'dangling': {
        const dangling = this.#usersOf(volume.name).length === 0;
        return values.some((value) => (value === 'true' || value === '1') === dangling);
      }
      case 'driver':
        return values.includes('local');
      case 'label':
        return values.every((value) => matchesLabel(labels, value));
      case 'label!':
        return values.every((value) => !matchesLabel(labels, value));
      default:
        return values.some((value) => volume.name.includes(value));
    }
  }
}
