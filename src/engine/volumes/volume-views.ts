import { EngineError } from '#errors';
import type { VolumeInspect, VolumeListResponse } from '#spec';
import { matchesLabel } from '../containers/list-filter.ts';
import type { Volume, Volumes } from './volumes.ts';

type Filters = ReadonlyMap<string, readonly string[]>;
const known = new Set(['dangling', 'driver', 'label', 'label!', 'name']);

/** `volume ls` and `volume inspect`. */
export class VolumeViews {
  readonly #volumes: Volumes;
  readonly #isUsed: (name: string) => boolean;

  constructor(volumes: Volumes, isUsed: (name: string) => boolean) {
    this.#volumes = volumes;
    this.#isUsed = isUsed;
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

  #matches(volume: Volume, key: string, values: readonly string[]): boolean {
    if (values.length === 0) return true;
    const labels = this.#volumes.toWire(volume).Labels ?? {};
    switch (key) {
      case 'dangling':
        return (
          values.includes(this.#isUsed(volume.name) ? 'false' : 'true') ||
          values.includes(this.#isUsed(volume.name) ? '0' : '1')
        );
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
