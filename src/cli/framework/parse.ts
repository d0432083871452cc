import { FlagValueError } from './errors.ts';
import type { FlagSpec, FlagSpecs } from './flags.ts';

/** A command line taken apart. */
export interface ParsedLine {
  readonly values: Record<string, unknown>;
  /** Long names of the flags that were given. */
  readonly given: Set<string>;
  readonly args: readonly string[];
  /** `--help` was there; `shorthand` when it was `-h`, which Docker calls deprecated. */
  readonly help: false | 'long' | 'shorthand';
}

/** A line that cannot be taken apart; the message is pflag's. */
export class FlagSyntaxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FlagSyntaxError';
  }
}

/**
 * Takes `argv` apart by pflag's rules: `--name=value`, `--name value`, `-abc`, `-p80`, `-p=80`, `--`.
 *
 * @param interspersed - Whether flags may follow positionals; if not, everything from the first positional on is one.
 * @throws {@link FlagSyntaxError}
 */
export function parseFlags(specs: FlagSpecs, argv: readonly string[], interspersed: boolean): ParsedLine {
  return new LineParser(specs, argv).parse(interspersed);
}

class LineParser {
  readonly #byLong = new Map<string, string>();
  readonly #byShort = new Map<string, string>();
  readonly #specs: FlagSpecs;
  readonly #rest: string[];
  readonly #values: Record<string, unknown> = {};
  readonly #given = new Set<string>();
  #help: ParsedLine['help'] = false;

  constructor(specs: FlagSpecs, argv: readonly string[]) {
    this.#specs = specs;
    this.#rest = [...argv];
    for (const [name, flag] of Object.entries(specs)) {
      this.#values[name] = flag.initial;
      for (const long of [name, ...(flag.aliases ?? [])]) this.#byLong.set(long, name);
      if (flag.short !== undefined) this.#byShort.set(flag.short, name);
    }
  }

  parse(interspersed: boolean): ParsedLine {
    const args: string[] = [];
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') {
        args.push(...this.#rest);
        break;
      }
      if (word.startsWith('--')) this.#long(word);
      else if (word.startsWith('-') && word.length > 1) this.#shorts(word.slice(1));
      else {
        args.push(word);
        if (!interspersed) {
          args.push(...this.#rest);
          break;
        }
      }
      if (this.#help !== false) break;
    }
    return { values: this.#values, given: this.#given, args, help: this.#help };
  }

  #long(word: string): void {
    const cut = word.indexOf('=');
    const typed = cut < 0 ? word.slice(2) : word.slice(2, cut);
    if (typed === '' || typed.startsWith('-')) throw new FlagSyntaxError(`bad flag syntax: ${word}`);
    const name = this.#byLong.get(typed);
    if (name === undefined) {
      if (typed === 'help') {
        this.#help = 'long';
        return;
      }
      throw new FlagSyntaxError(`unknown flag: --${typed}`);
    }
    const flag = this.#specs[name];
    if (!flag) return;
    if (cut >= 0) return this.#set(name, flag, word.slice(cut + 1));
    if (flag.alone !== undefined) return this.#set(name, flag, flag.alone);
    const value = this.#rest.shift();
    if (value === undefined) throw new FlagSyntaxError(`flag needs an argument: --${typed}`);
    this.#set(name, flag, value);
  }

  #shorts(letters: string): void {
    let rest = letters;
    while (rest !== '' && this.#help === false) {
      const letter = rest.charAt(0);
      const name = this.#byShort.get(letter);
      const flag = name === undefined ? undefined : this.#specs[name];
      if (name === undefined || !flag) {
        if (letter !== 'h') throw new FlagSyntaxError(`unknown shorthand flag: '${letter}' in -${rest}`);
        this.#help = 'shorthand';
        return;
      }
      const after = rest.slice(1);
      if (after.startsWith('=')) return this.#set(name, flag, after.slice(1));
      if (flag.alone !== undefined) {
        this.#set(name, flag, flag.alone);
        rest = after;
        continue;
      }
      const value = after === '' ? this.#rest.shift() : after;
      if (value === undefined) throw new FlagSyntaxError(`flag needs an argument: '${letter}' in -${rest}`);
      return this.#set(name, flag, value);
    }
  }

  #set(name: string, flag: FlagSpec<unknown>, text: string): void {
    try {
      this.#values[name] = flag.set(text, this.#values[name]);
    } catch (error) {
      if (!(error instanceof FlagValueError)) throw error;
      const shown = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
      throw new FlagSyntaxError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${error.message}`);
    }
    this.#given.add(name);
  }
}
