import type { EventMessage } from '#spec';
import type { Filters } from '../containers/backend.ts';

/** Facts about this engine, sent by `_ping` and `version`. */
export interface VersionInfo {
  version: string;
  gitCommit: string;
  buildTime: string;
  kernelVersion: string;
  /** Go's names: `amd64`, `arm64`. */
  arch: string;
  components: { name: string; version: string; details: Record<string, string> }[];
}

export interface EventsOptions {
  /** Nanoseconds since the epoch: replay from there. */
  since?: bigint | undefined;
  /** Nanoseconds since the epoch: end there. */
  until?: bigint | undefined;
  filters: Filters;
  signal: AbortSignal;
}

/** What the system routes call. */
export interface SystemBackend {
  version(): VersionInfo;
  /** The whole answer of `GET /info`. */
  info(): Promise<Record<string, unknown>>;
  /** Subscribed by the time this returns. */
  events(options: EventsOptions): AsyncIterable<EventMessage>;
  /** The whole answer of `GET /system/df`; `types` empty means all. */
  diskUsage(types: readonly string[]): Promise<Record<string, unknown>>;
  /** Verifies every digest, snapshot and reference. Problems found, in words; empty when whole. Berth's own: `GET /berth/fsck`. */
  fsck(): Promise<{ problems: string[]; checked: Record<string, number> }>;
}
