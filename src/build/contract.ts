import type { SpecMount } from '#runtime';
import type { ChainId, Digest, oci, ProgressLine, RegistryAuth } from '#spec';
import type { LintWarning } from './dockerfile/index.ts';
import type { BaseImage, CopySource, NamedContext, Step } from './plan/index.ts';

/** Limits and surroundings of all RUN steps of a build, as `docker build` takes them. Zero and empty: none. */
export interface StepLimits {
  readonly memoryBytes: number;
  readonly memorySwapBytes: number;
  readonly cpuShares: number;
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { Name: string; Soft: number; Hard: number }[];
  readonly cgroupParent: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly securityOptions: readonly string[];
}

/** One RUN step, ready to be run. */
export interface ExecutorStep {
  /** 64 hex digits, of this run of the step alone. */
  readonly id: string;
  /** Mounted and writable. */
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly hostname: string;
  /** `default`, `none`, `host`, or what `--network` of the build says. */
  readonly network: string;
  readonly privileged: boolean;
  readonly devices: readonly string[];
  readonly mounts: readonly SpecMount[];
  readonly limits: StepLimits;
  /** Called in order; what it is given is the callee's. The next waits for what it answers. */
  readonly output: (stream: 'stdout' | 'stderr', data: Buffer) => void | Promise<void>;
  /** Kills what runs. */
  readonly signal: AbortSignal;
}

/** Runs steps, with the same runtime and networks as containers. */
export interface Executor {
  /**
   * Resolves with the exit code (128 and the signal's number for a killed process) when nothing of the step is left in the kernel.
   *
   * @throws when the process cannot be started; the signal's reason when it was aborted.
   */
  run(step: ExecutorStep): Promise<number>;
}

export interface ResolveOptions {
  /** Look for a newer one in its registry. */
  readonly pull: boolean;
  readonly credentials: RegistryLogins;
  /** Told of a pull's progress. */
  readonly report: (line: ProgressLine) => void;
  readonly signal: AbortSignal;
}

/** Credentials by the name of their registry, as `docker login` keeps them. */
export type RegistryLogins = ReadonlyMap<string, RegistryAuth>;

/** The images of this engine, as a build needs them. */
export interface BuildImages {
  /** Names, IDs, unique ID prefixes; from its registry if it is not here. @throws notFound with the registry's words. */
  resolve(reference: string, platform: oci.Platform, options: ResolveOptions): Promise<BaseImage>;
  /**
   * Adds the image and points the names at it, in one step; answers its ID. `layers` are all, from the bottom. Without a configuration it
   * is the base itself that gets the names.
   */
  add(image: {
    config: Uint8Array | undefined;
    base: BaseImage | undefined;
    layers: readonly ChainId[];
    references: readonly string[];
    signal: AbortSignal;
  }): Promise<Digest>;
}

/** A tree that was fetched for a step; disposing lets go of it. */
export interface FetchedTree extends AsyncDisposable {
  /** Folder on this host. */
  readonly root: string;
  /** The file that an address names; undefined for a repository. */
  readonly file: string | undefined;
  /** Of the content: part of the step's key. */
  readonly digest: string;
}

/** Fetches what ADD names by address. */
export type FetchSource = (
  source: Extract<CopySource, { kind: 'http' | 'git' }>,
  signal: AbortSignal,
) => Promise<FetchedTree>;

export interface BuildRequest {
  /** Text of the Dockerfile, and its name in messages. */
  readonly dockerfile: { readonly text: string; readonly name: string };
  /** Folders of the main context (empty name) and of named ones. */
  readonly contexts: ReadonlyMap<string, string>;
  /** Patterns of the main context's ignore file. */
  readonly ignore: readonly string[];
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  readonly target: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly targetPlatform: oci.Platform;
  readonly buildPlatform: oci.Platform;
  readonly noCache: true | ReadonlySet<string>;
  /** Look for newer base images. */
  readonly pull: boolean;
  readonly credentials: RegistryLogins;
  readonly network: string;
  readonly limits: StepLimits;
  /** Content by id. */
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Full names for the result; none leaves it untagged. */
  readonly references: readonly string[];
}

/** What happens during a build, in order for each step; steps of different stages interleave. */
export type BuildEvent =
  | { readonly kind: 'pulling'; readonly line: ProgressLine }
  /** `globalArgs`: the ARGs before the first FROM, as they stand there. */
  | { readonly kind: 'planned'; readonly globalArgs: readonly string[]; readonly steps: readonly Step[] }
  | { readonly kind: 'warning'; readonly warning: LintWarning }
  | { readonly kind: 'unusedArgs'; readonly names: readonly string[] }
  | { readonly kind: 'started'; readonly stepId: string; readonly runId: string }
  | { readonly kind: 'output'; readonly stepId: string; readonly stream: 'stdout' | 'stderr'; readonly data: Buffer }
  | { readonly kind: 'finished'; readonly stepId: string; readonly cached: boolean; readonly chainId: ChainId }
  | { readonly kind: 'failed'; readonly stepId: string; readonly error: unknown };

export interface BuildResult {
  readonly imageId: Digest;
  readonly config: oci.ImageConfig;
}
