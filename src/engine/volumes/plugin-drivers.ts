import { EngineError } from '#errors';
import type { VolumeDriver } from './volume-driver.ts';
import type { VolumePlugins } from './volumes.ts';

/** Volume drivers that are not built in. */
export class PluginDrivers implements VolumePlugins {
  /** @throws notFound with Docker's text. */
  get(name: string): Promise<VolumeDriver> {
    throw new EngineError(
      'notFound',
      'NO_SUCH_DRIVER',
      `error looking up volume plugin ${name}: plugin ${JSON.stringify(name)} not found`,
    );
  }

  all(): Promise<VolumeDriver[]> {
    return Promise.resolve([]);
  }
}
