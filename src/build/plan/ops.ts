import type { ChainId, Digest, oci } from '#spec';
import type { RunMount, SourceRange } from '../dockerfile/index.ts';

/** An image that a build starts from or copies from. */
export interface BaseImage {
  /** The name as resolved, in full, for messages. */
  readonly name: string;
  /** Digest of its configuration. */
  readonly id: Digest;
  readonly config: oci.ImageConfig;
  /** Its topmost layer; undefined for an image without layers. */
  readonly chainId: ChainId | undefined;
}

/** Where files come from. */
export type Tree =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'image'; readonly image: BaseImage }
  /** The main context has no name. */
  | { readonly kind: 'context'; readonly name: string }
  /** What a step left behind. */
  | { readonly kind: 'step'; readonly step: LayerStep };

export interface RunOp {
  readonly kind: 'run';
  /** With the shell in front where it was shell form. */
  readonly args: readonly string[];
  /** `KEY=value`: the image's variables and the ARGs declared so far. */
  readonly env: readonly string[];
  /** Proxy settings given as build arguments: seen by the step, part of neither its key nor the image. */
  readonly proxyEnv: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly mounts: readonly (RunMount & { readonly tree: Tree })[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly string[];
  /** A script that the Dockerfile holds, put where `args` says. */
  readonly script: { readonly path: string; readonly content: string } | undefined;
  readonly hostname: string;
}

/** One source of a COPY or ADD. */
export type CopySource =
  | { readonly kind: 'paths'; readonly tree: Tree; readonly paths: readonly string[] }
  | { readonly kind: 'inline'; readonly name: string; readonly content: string }
  | { readonly kind: 'http'; readonly url: string; readonly checksum: string }
  | { readonly kind: 'git'; readonly url: string; readonly keepGitDir: boolean; readonly checksum: string };

export interface CopyOp {
  readonly kind: 'copy';
  readonly sources: readonly CopySource[];
  /** Absolute; ends in a slash if the instruction's did. */
  readonly destination: string;
  /** `user[:group]`, names as they are; empty for root. */
  readonly chown: string;
  /** Octal or symbolic; empty to keep. */
  readonly chmod: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly parents: boolean;
  /** Whether archives are unpacked: ADD does so with local ones unless told otherwise. */
  readonly unpack: 'never' | 'local' | 'always';
}

/** WORKDIR: the folder is there afterwards, with its parents. */
export interface MkdirOp {
  readonly kind: 'mkdir';
  readonly path: string;
  readonly user: string;
}

export type Op = RunOp | CopyOp | MkdirOp;

/** What an instruction does to the configuration alone, or to files as well. */
interface StepBase {
  /** Unique in the plan. */
  readonly id: string;
  /** The stage it belongs to, by its place in the Dockerfile. */
  readonly stage: number;
  /** The instruction as progress shows it, variables expanded. */
  readonly text: string;
  /** As it stands in the Dockerfile, continued lines joined. */
  readonly source: string;
  readonly range: SourceRange;
  /** The configuration after it; `rootfs` and `history` are made at the end. */
  readonly config: oci.RunConfig;
  /** Undefined for FROM and ONBUILD, which leave no history. */
  readonly history: oci.ImageHistory | undefined;
}

/** A step that changes files. */
export interface LayerStep extends StepBase {
  readonly kind: 'layer';
  /** What it works on. */
  readonly parent: Tree;
  readonly op: Op;
  /** `--no-cache` or `--no-cache-filter` names its stage. */
  readonly noCache: boolean;
}

/** A step that changes the configuration only; FROM is one. */
export interface ConfigStep extends StepBase {
  readonly kind: 'config';
  /** Of FROM: what the stage begins with. */
  readonly from?: Tree;
}

export type Step = LayerStep | ConfigStep;
