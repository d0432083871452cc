import type { HealthConfig } from '#spec';
import type { Heredoc } from './heredoc.ts';
import type { SourceRange } from './source.ts';

/** A command in shell form (one string, for the shell) or exec form (an array, as it is). */
export interface CommandLine {
  readonly form: 'shell' | 'exec';
  /** One element in shell form. */
  readonly args: readonly string[];
  readonly heredocs: readonly Heredoc[];
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** Where every instruction stands and how it was written. */
interface Written {
  readonly range: SourceRange;
  /** The instruction as it stands there, continued lines joined. */
  readonly source: string;
}

/** What COPY and ADD share. */
export interface CopySources {
  /** Paths, patterns, and for ADD addresses; heredocs are not among them. */
  readonly sources: readonly string[];
  /** Files whose content stands in the Dockerfile, named after their heredocs. */
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface RunInstruction extends Written {
  readonly kind: 'run';
  readonly command: CommandLine;
  /** `--mount` values as written: their variables are expanded when their place in the stage is known. */
  readonly mounts: readonly string[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  /** `--device` values. */
  readonly devices: readonly string[];
}

export interface CopyInstruction extends Written, CopySources {
  readonly kind: 'copy';
  /** Stage, image or named context; empty for the main context. */
  readonly from: string;
  readonly parents: boolean;
}

export interface AddInstruction extends Written, CopySources {
  readonly kind: 'add';
  /** Undefined: what the kind of source has by default. */
  readonly keepGitDir: boolean | undefined;
  readonly checksum: string;
  readonly unpack: boolean | undefined;
}

export interface ArgInstruction extends Written {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[];
}

/** An instruction inside a stage. Variables are not expanded yet. */
export type Instruction =
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | ArgInstruction
  | (Written & { readonly kind: 'env'; readonly pairs: readonly KeyValue[]; readonly isLegacy: boolean })
  | (Written & { readonly kind: 'label'; readonly pairs: readonly KeyValue[]; readonly isLegacy: boolean })
  | (Written & { readonly kind: 'maintainer'; readonly name: string })
  | (Written & { readonly kind: 'cmd'; readonly command: CommandLine })
  | (Written & { readonly kind: 'entrypoint'; readonly command: CommandLine })
  | (Written & { readonly kind: 'shell'; readonly shell: readonly string[] })
  | (Written & { readonly kind: 'expose'; readonly ports: readonly string[] })
  | (Written & { readonly kind: 'volume'; readonly paths: readonly string[] })
  | (Written & { readonly kind: 'user'; readonly user: string })
  | (Written & { readonly kind: 'workdir'; readonly path: string })
  | (Written & { readonly kind: 'stopsignal'; readonly signal: string })
  | (Written & { readonly kind: 'healthcheck'; readonly health: HealthConfig })
  | (Written & { readonly kind: 'onbuild'; readonly trigger: string });

/** One FROM and what follows it. */
export interface Stage extends Written {
  /** Image, earlier stage or `scratch`, variables not expanded. */
  readonly base: string;
  /** Lower case; empty if it has none. */
  readonly name: string;
  /** As written. */
  readonly writtenName: string;
  /** `--platform` as written; empty if not given. */
  readonly platform: string;
  readonly comments: readonly string[];
  readonly instructions: readonly Instruction[];
}
