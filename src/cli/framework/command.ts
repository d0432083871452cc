import type { CliContext } from '../context.ts';
import type { FlagSpecs, FlagValues } from './flags.ts';

/** How many positionals a command takes. Docker's messages differ by the form, so the form is kept. */
export type Arity =
  | { readonly kind: 'none' }
  | { readonly kind: 'exact'; readonly count: number }
  | { readonly kind: 'min'; readonly min: number }
  | { readonly kind: 'max'; readonly max: number }
  | { readonly kind: 'range'; readonly min: number; readonly max: number }
  | { readonly kind: 'any' };

export const noArgs: Arity = { kind: 'none' };
export const anyArgs: Arity = { kind: 'any' };
export const exactArgs = (count: number): Arity => ({ kind: 'exact', count });
export const minArgs = (min: number): Arity => ({ kind: 'min', min });
export const maxArgs = (max: number): Arity => ({ kind: 'max', max });
export const rangeArgs = (min: number, max: number): Arity => ({ kind: 'range', min, max });

/** What a command sees of its line. */
export interface CommandLine<S extends FlagSpecs> {
  readonly flags: FlagValues<S>;
  readonly args: readonly string[];
  /** Whether the flag was given, as opposed to standing at its initial value. */
  readonly given: (name: Extract<keyof S, string>) => boolean;
}

/**
 * A command without its place in the tree: names, aliases and the one-line summary are in `tree.ts`, so that help can
 * be shown without loading it.
 */
export interface Command {
  /** What follows the command's name in its usage line: `[OPTIONS] CONTAINER [CONTAINER...]`. */
  readonly usage: string;
  readonly args: Arity;
  readonly flags: FlagSpecs;
  /** False: flags end at the first positional, as in `run IMAGE ls -l`. */
  readonly interspersed: boolean;
  /** Shown in help instead of the summary. */
  readonly description?: string;
  /** Returns the exit code; nothing means 0. */
  run(ctx: CliContext, line: CommandLine<FlagSpecs>): Promise<number | void>;
}

export interface CommandDefinition<S extends FlagSpecs> {
  usage: string;
  args: Arity;
  flags?: S;
  interspersed?: boolean;
  description?: string;
  run(ctx: CliContext, line: CommandLine<S>): Promise<number | void>;
}

/** Makes a {@link Command} whose `run` sees its flags typed. */
export function defineCommand<const S extends FlagSpecs>(definition: CommandDefinition<S>): Command {
  return {
    usage: definition.usage,
    args: definition.args,
    flags: definition.flags ?? {},
    interspersed: definition.interspersed ?? true,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseFlags fills exactly the table's names */
    run: (ctx, line) => definition.run(ctx, line as unknown as CommandLine<S>),
  };
}

/** A leaf of the command tree, loaded when it is used. */
export interface CommandNode {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly hidden?: boolean;
  /** Absent: known to Docker, not built yet. Such commands are not listed in help and end with an error. */
  readonly load?: () => Promise<{ readonly command: Command }>;
}

/** A management command (`container`), which only has others below it. */
export interface GroupNode {
  readonly name: string;
  readonly summary: string;
  readonly swarm?: boolean;
  readonly children: readonly CommandNode[];
}

/** A command found in the tree by the words of a line. */
export interface FoundCommand {
  readonly node: CommandNode;
  /** The words typed, with the program's name: `docker container ls`. */
  readonly path: string;
  /** Every spelling, the program's name included; one entry when there is only that. */
  readonly spellings: readonly string[];
}
