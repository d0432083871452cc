import type { Readable } from 'node:stream';
import type { BuildExtras, ProgressLine, PruneBuildCacheResponse, RegistryAuth } from '#spec';
import type { Filters } from '../containers/backend.ts';

export interface BuildOptions {
  /** The context: a tar in the body, or an address. */
  source:
    | { kind: 'archive'; body: Readable }
    | { kind: 'remote'; address: string }
    | { kind: 'parts'; body: Readable; address: string };
  /** Path in the context; empty for `Dockerfile`. */
  dockerfile: string;
  tags: string[];
  /** Nothing but the image's ID, unless it fails. */
  quiet: boolean;
  noCache: boolean;
  pull: boolean;
  /** Tell that steps' containers are removed. */
  removes: boolean;
  limits: {
    memoryBytes: number;
    memorySwapBytes: number;
    cpuShares: number;
    cpuPeriod: number;
    cpuQuota: number;
    cpusetCpus: string;
    cpusetMems: string;
    shmSizeBytes: number;
    ulimits: { Name: string; Soft: number; Hard: number }[];
    cgroupParent: string;
    extraHosts: string[];
    securityOptions: string[];
  };
  /** `null`: named without a value. */
  buildArgs: ReadonlyMap<string, string | null>;
  labels: Record<string, string>;
  network: string;
  platform: string;
  target: string;
  squash: boolean;
  /** By the name of their registry. */
  credentials: ReadonlyMap<string, RegistryAuth>;
  extras: BuildExtras;
  /** For `cancel`; empty for none. */
  buildId: string;
  signal: AbortSignal;
}

export interface PruneBuildCacheOptions {
  /** Also what images use. */
  all: boolean;
  filters: Filters;
  /** Undefined where not given. */
  keepBytes: number | undefined;
  maxUsedBytes: number | undefined;
  minFreeBytes: number | undefined;
}

/** What the build routes call. */
export interface BuildBackend {
  /** Errors before the first line throw; later ones come as a last line with `errorDetail`. */
  build(options: BuildOptions): AsyncIterable<ProgressLine>;
  /** @throws notFound. */
  cancel(buildId: string): void;
  prune(options: PruneBuildCacheOptions): Promise<PruneBuildCacheResponse>;
}
