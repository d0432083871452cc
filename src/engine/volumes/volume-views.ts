import { EngineError } from '#errors';
import { randomHex } from '#lib';
import type { VolumeCreateRequest, VolumeInspect, VolumeListResponse } from '#spec';
import { matchesLabel } from '../containers/list-filter.ts';
import type { EventBus } from '../events/event-bus.ts';
import { noSuchVolume, volumeInUse } from './volume-errors.ts';
import type { Volumes } from './volumes.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
const known = new Set(['dangling', 'driver', 'label', 'label!', 'name']);
const knownToPrune = new Set(['label', 'label!', 'all']);
const anonymousLabel = 'com.docker.volume.anonymous';

export interface VolumeViewsDeps {
  volumes: Volumes;
  events: EventBus;
  /** The IDs of the containers that have each volume. */
  users: () => ReadonlyMap<string, readonly string[]>;
  sizeBytes: (name: string) => Promise<number>;
}

/** The volume use cases, as the API's routes call them. */
export class VolumeViews {
  readonly #deps: VolumeViewsDeps;
  #isPruning = false;

  constructor(deps: VolumeViewsDeps) {
    this.#deps = deps;
  }

  /** @throws invalidArgument for an unknown filter. */
  async list(filters: Filters): Promise<VolumeListResponse> {
    checkFilters(filters, known);
    const { volumes, warnings } = await this.#deps.volumes.listWire();
    const matches = this.#compile(filters);
    return { Volumes: volumes.filter(matches), Warnings: warnings.length > 0 ? warnings : null };
  }

  /** @throws notFound with Docker's text. */
  inspect(name: string): Promise<VolumeInspect> {
    return this.#deps.volumes.inspect(name);
  }

  /**
   * The volume of that name, made if it is not there.
   *
   * @throws invalidArgument for a bad name or options; conflict when another driver has it; notFound for an unknown driver.
   */
  async create(request: VolumeCreateRequest): Promise<VolumeInspect> {
    const { volumes } = this.#deps;
    const anonymous = request.Name === '';
    const wanted = {
      name: anonymous ? randomHex(32) : request.Name,
      anonymous,
      driver: request.Driver === '' && anonymous ? 'local' : request.Driver,
      labels: request.Labels ?? {},
      options: request.DriverOpts && Object.keys(request.DriverOpts).length > 0 ? request.DriverOpts : null,
    };
    const { driver } = await volumes.prepare(wanted);
    if (volumes.ensureRow({ ...wanted, driver })) volumes.announceCreated(wanted.name);
    return await volumes.inspect(wanted.name);
  }

  /** @throws conflict with Docker's text when a container uses it; notFound, unless `force`. */
  async remove(name: string, options: { force: boolean }): Promise<void> {
    const { volumes } = this.#deps;
    if (!volumes.find(name) && !(await this.#isPlugins(name))) {
      if (options.force) return;
      throw noSuchVolume(name);
    }
    const users = this.#deps.users().get(name) ?? [];
    if (users.length > 0) throw volumeInUse(name, users);
    await volumes.remove(name, options);
  }

  async #isPlugins(name: string): Promise<boolean> {
    return (await this.#deps.volumes.driverThatHas(name)) !== 'local';
  }

  /**
   * Removes unused local volumes without driver options: anonymous ones, with `all` every one. Filters: `label`, `label!`,
   * `all`.
   *
   * @throws conflict when another prune is going on.
   */
  async prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    if (this.#isPruning) {
      throw new EngineError('conflict', 'PRUNE_RUNNING', 'a prune operation is already running');
    }
    this.#isPruning = true;
    try {
      return await this.#prune(filters);
    } finally {
      this.#isPruning = false;
    }
  }

  async #prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    const { volumes, events, sizeBytes } = this.#deps;
    checkFilters(filters, knownToPrune);
    const all = parseAll(filters.get('all') ?? []);
    const matches = this.#compile(new Map([...filters].filter(([key]) => key !== 'all')));
    const users = this.#deps.users();
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const volume of volumes.list()) {
      const shown = volumes.toWire(volume);
      if (volume.driver !== 'local' || volume.options !== null || users.has(volume.name) || !matches(shown)) continue;
      if (!all && !matchesLabel(shown.Labels ?? {}, anonymousLabel)) continue;
      const bytes = await sizeBytes(volume.name);
      // A container may have come to it meanwhile.
      if (this.#deps.users().has(volume.name)) continue;
      await volumes.remove(volume.name);
      deleted.push(volume.name);
      reclaimed += bytes;
    }
    events.publish('volume', 'prune', '', { reclaimed: String(reclaimed) });
    return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
  }

  /** What passes every filter; several values of `name`, `driver` and `dangling` are alternatives. */
  #compile(filters: Filters): (volume: VolumeInspect) => boolean {
    const users = filters.has('dangling') ? this.#deps.users() : new Map<string, readonly string[]>();
    const tests = [...filters].flatMap(([key, values]) => (values.length > 0 ? [testFor(key, values, users)] : []));
    return (volume) => tests.every((matches) => matches(volume));
  }
}

function testFor(
  key: string,
  values: readonly string[],
  users: ReadonlyMap<string, readonly string[]>,
): (volume: VolumeInspect) => boolean {
  switch (key) {
    case 'dangling':
      return ({ Name }) => values.some((value) => (value === 'true' || value === '1') === !users.has(Name));
    case 'driver':
      return ({ Driver }) => values.includes(Driver);
    case 'label':
      return ({ Labels }) => values.every((value) => matchesLabel(Labels ?? {}, value));
    case 'label!':
      return ({ Labels }) => values.every((value) => !matchesLabel(Labels ?? {}, value));
    default:
      return ({ Name }) => values.some((value) => Name.includes(value));
  }
}

function invalidFilter(filter: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_FILTER', `invalid filter '${filter}'`);
}

function checkFilters(filters: Filters, allowed: ReadonlySet<string>): void {
  for (const key of filters.keys()) if (!allowed.has(key)) throw invalidFilter(key);
}

function parseAll(values: readonly string[]): boolean {
  const [value, ...more] = values;
  if (value === undefined) return false;
  if (more.length > 0 || !/^(1|t|true|0|f|false)$/i.test(value)) throw invalidFilter(`all=[${values.join(' ')}]`);
  return /^(1|t|true)$/i.test(value);
}
