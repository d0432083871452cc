import type { oci } from '#spec';
import type { Dockerfile, LintWarning } from '../dockerfile/index.ts';
import type { BaseImage, Step, Tree } from './ops.ts';

/** What a plan is made from. */
export interface PlanRequest {
  readonly dockerfile: Dockerfile;
  /** Stage by name or number; empty for the last. */
  readonly target: string;
  /** `--build-arg`. */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly targetPlatform: oci.Platform;
  readonly buildPlatform: oci.Platform;
  /** `--label`: put on the result, after everything the Dockerfile says. */
  readonly labels: Readonly<Record<string, string>>;
  /** `--build-context`: names that stand for a folder sent along, or for an image. */
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  /** `true`: no step is taken from the cache; else the stages named. */
  readonly noCache: true | ReadonlySet<string>;
  /** Whether a path of the main context was left out by `.dockerignore`. */
  readonly isIgnored: (path: string) => boolean;
  /** @throws notFound with the registry's words. */
  readonly resolveImage: (reference: string, platform: oci.Platform) => Promise<BaseImage>;
}

export type NamedContext = { readonly kind: 'directory' } | { readonly kind: 'image'; readonly reference: string };

/** What is to be done for an image. Pure data: nothing has happened yet but the look-up of base images. */
export interface Plan {
  /** In the order of the Dockerfile, stages that nobody needs left out. */
  readonly steps: readonly Step[];
  /** The ARGs before the first FROM, as they stand there. */
  readonly globalArgs: readonly string[];
  /** The files of the result. */
  readonly result: Tree;
  readonly platform: oci.Platform;
  readonly config: oci.RunConfig;
  readonly author: string;
  /** Of the base image, then of the steps. */
  readonly history: readonly oci.ImageHistory[];
  /** The image that the result's stage began with; undefined for scratch. */
  readonly base: BaseImage | undefined;
  readonly warnings: readonly LintWarning[];
  /** Names of `--build-arg` that nothing declares. */
  readonly unusedArgs: readonly string[];
}
