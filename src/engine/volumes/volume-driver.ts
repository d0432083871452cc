import type { VolumeOptions } from './local-options.ts';

/** What a driver tells about one of its volumes. */
export interface DriverVolume {
  name: string;
  /** Empty while it is not mounted, with some drivers. */
  mountpoint: string;
  /** RFC 3339; undefined where the driver does not say. */
  createdAt?: string | undefined;
  status?: Record<string, unknown> | undefined;
}

/**
 * Who makes and mounts volumes: `local`, or a plugin. Each call is repeatable, since a kill may have come between it
 * and our note of it.
 */
export interface VolumeDriver {
  readonly name: string;
  readonly scope: 'local' | 'global';
  create(name: string, options: VolumeOptions | null): Promise<void>;
  remove(name: string): Promise<void>;
  /** Undefined when the driver has no such volume. @throws unavailable when it does not answer. */
  get(name: string): Promise<DriverVolume | undefined>;
  list(): Promise<DriverVolume[]>;
  /** Makes it usable on the host for `ref` and answers where it is. */
  mount(name: string, ref: string): Promise<string>;
  /** Ends what `mount` began for `ref`. */
  unmount(name: string, ref: string): Promise<void>;
}
