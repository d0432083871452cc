import { DockerfileProblem } from './source.ts';
import { replacePattern, trimPrefix, trimSuffix } from './shell-patterns.ts';

/** Values of variables; undefined for what is not set. */
export type Variables = (name: string) => string | undefined;

export interface ExpandOptions {
  /** The character that escapes: a backslash, or a backtick by directive. */
  readonly escape: string;
  /** Quotes stay in the result. */
  readonly keepQuotes?: boolean;
  /** Escape characters stay in the result. */
  readonly keepEscapes?: boolean;
  /** Quotes mean nothing. */
  readonly ignoreQuotes?: boolean;
  /** What names a variable that is not set stays as it is written. */
  readonly keepUnset?: boolean;
}

export interface Expanded {
  readonly text: string;
  /** The text cut at unquoted white space. */
  readonly words: readonly string[];
  /** Names that were looked up and found. */
  readonly used: ReadonlySet<string>;
  /** Names that were looked up in vain. */
  readonly unset: ReadonlySet<string>;
}

/**
 * Expands variables in a word or line of a Dockerfile and takes its quotes and escapes away, as a POSIX shell would do with the
 * forms that the Dockerfile reference lists.
 *
 * @throws DockerfileProblem for what is not closed or not known.
 */
export function expand(text: string, variables: Variables, options: ExpandOptions): Expanded {
  const lexer = new Lexer(text, variables, options);
  try {
    return lexer.run();
  } catch (error) {
    if (!(error instanceof DockerfileProblem)) throw error;
    throw new DockerfileProblem(`failed to process ${JSON.stringify(text)}: ${error.message}`, error.token);
  }
}

/** {@link expand} for a text that has no variables. */
export const noVariables: Variables = () => undefined;

const specialParameters = new Set(['@', '*', '#', '?', '-', '$', '!', '0']);
const isSpace = (char: string): boolean => /\s/u.test(char);
const isNameCharacter = (char: string): boolean => /[\p{L}\p{Nd}_]/u.test(char);

/** Collects words while the text goes by; what was quoted or escaped never separates. */
class WordSplitter {
  readonly words: string[] = [];
  #word = '';

  /** Text whose white space separates. */
  addOpen(text: string): void {
    for (const char of text) {
      if (isSpace(char)) this.#close();
      else this.#word += char;
    }
  }

  addQuoted(text: string): void {
    this.#word += text;
  }

  end(): readonly string[] {
    this.#close();
    return this.words;
  }

  #close(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }
}

class Lexer {
  readonly #chars: readonly string[];
  readonly #variables: Variables;
  readonly #options: ExpandOptions;
  readonly #used = new Set<string>();
  readonly #unset = new Set<string>();
  #at = 0;
  #keepEscapes: boolean;

  constructor(text: string, variables: Variables, options: ExpandOptions) {
    this.#chars = [...text];
    this.#variables = variables;
    this.#options = options;
    this.#keepEscapes = options.keepEscapes ?? false;
  }

  run(): Expanded {
    const { text, words } = this.#until(undefined, this.#keepEscapes);
    return { text, words, used: this.#used, unset: this.#unset };
  }

  /** Reads up to `end` (taken, not part of the result), or to the end of the text if that is undefined. */
  #until(end: string | undefined, keepEscapes: boolean): { text: string; words: readonly string[] } {
    const outer = this.#keepEscapes;
    this.#keepEscapes = keepEscapes;
    const splitter = new WordSplitter();
    let text = '';
    for (let char = this.#peek(); char !== undefined; char = this.#peek()) {
      if (char === end) {
        this.#at += 1;
        this.#keepEscapes = outer;
        return { text, words: splitter.end() };
      }
      text += this.#piece(char, splitter);
    }
    if (end !== undefined) {
      throw new DockerfileProblem(`unexpected end of statement while looking for matching ${end}`);
    }
    this.#keepEscapes = outer;
    return { text, words: splitter.end() };
  }

  #piece(char: string, splitter: WordSplitter): string {
    const quotes = this.#options.ignoreQuotes !== true;
    if (char === '$') {
      const value = this.#dollar();
      splitter.addOpen(value);
      return value;
    }
    if (quotes && (char === "'" || char === '"')) {
      const value = char === "'" ? this.#singleQuoted() : this.#doubleQuoted();
      splitter.addQuoted(value);
      return value;
    }
    if (char === '<') {
      // The blanks of `<< EOF` do not part it from its word.
      const value = this.#heredocMark();
      splitter.addQuoted(value);
      return value;
    }
    this.#at += 1;
    if (char !== this.#options.escape) {
      splitter.addOpen(char);
      return char;
    }
    const escaped = (this.#keepEscapes ? char : '') + (this.#take() ?? '');
    splitter.addQuoted(escaped);
    return escaped;
  }

  #heredocMark(): string {
    this.#at += 1;
    if (this.#peek() !== '<') return '<';
    this.#at += 1;
    let mark = '<<';
    for (let char = this.#peek(); char !== undefined && /[ \t]/.test(char); char = this.#peek()) {
      mark += char;
      this.#at += 1;
    }
    return mark;
  }

  #singleQuoted(): string {
    const close = this.#chars.indexOf("'", this.#at + 1);
    if (close < 0) {
      throw new DockerfileProblem('unexpected end of statement while looking for matching single-quote', "'");
    }
    const inside = this.#chars.slice(this.#at + 1, close).join('');
    this.#at = close + 1;
    return this.#options.keepQuotes === true ? `'${inside}'` : inside;
  }

  #doubleQuoted(): string {
    const quote = this.#options.keepQuotes === true ? '"' : '';
    let text = quote;
    this.#at += 1;
    for (;;) {
      const char = this.#peek();
      if (char === undefined) {
        throw new DockerfileProblem('unexpected end of statement while looking for matching double-quote', '"');
      }
      if (char === '$') {
        text += this.#dollar();
        continue;
      }
      this.#at += 1;
      if (char === '"') return text + quote;
      text += char === this.#options.escape ? this.#escapedInDoubleQuotes() : char;
    }
  }

  /** Inside double quotes an escape only counts before a quote, a dollar and itself. */
  #escapedInDoubleQuotes(): string {
    const { escape } = this.#options;
    const next = this.#peek();
    const kept = this.#keepEscapes ? escape : '';
    if (next === undefined) return kept;
    if (next !== '"' && next !== '$' && next !== escape) return kept + escape;
    this.#at += 1;
    return kept + next;
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek() !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      return this.#value(name) ?? (this.#options.keepUnset === true ? `$${name}` : '');
    }
    this.#at += 1;
    const first = this.#peek();
    if (first === undefined) throw missingBrace();
    if (first === '{' || first === '}' || first === ':')
      throw new DockerfileProblem('syntax error: bad substitution', '${');
    const name = this.#name();
    return this.#substitution(name, this.#take());
  }

  #substitution(name: string, operator: string | undefined): string {
    if (operator === undefined) throw missingBrace();
    if (operator === '}') return this.#value(name) ?? (this.#options.keepUnset === true ? `\${${name}}` : '');
    if (operator === '/') return this.#replacement(name);
    const emptyIsUnset = operator === ':';
    const modifier = emptyIsUnset ? (this.#take() ?? '') : operator;
    const spelled = emptyIsUnset ? `:${modifier}` : modifier;
    const isTrim = modifier === '#' || modifier === '%';
    if (!['+', '-', '?', '#', '%'].includes(modifier) || (isTrim && emptyIsUnset)) {
      throw new DockerfileProblem(`unsupported modifier (${spelled}) in substitution`, spelled);
    }
    const word = this.#operand('}', isTrim, missingBrace);
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${spelled}${word}}`;
    return modified(name, value, { modifier, word, emptyIsUnset });
  }

  #replacement(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at += 1;
    const pattern = this.#operand('/', true, () => new DockerfileProblem("syntax error: missing '/' in ${}", '${'));
    const replacement = this.#operand('}', true, missingBrace);
    const value = this.#value(name);
    if (value === undefined && this.#options.keepUnset === true) {
      return `\${${name}/${all ? '/' : ''}${pattern}/${replacement}}`;
    }
    return replacePattern(value ?? '', pattern, replacement, all);
  }

  #operand(end: string, keepEscapes: boolean, missing: () => DockerfileProblem): string {
    try {
      return this.#until(end, keepEscapes).text;
    } catch (error) {
      if (error instanceof DockerfileProblem && this.#peek() === undefined) throw missing();
      throw error;
    }
  }

  /** A name, all digits of a position, or one special parameter. */
  #name(): string {
    const first = this.#peek();
    if (first !== undefined && specialParameters.has(first)) {
      this.#at += 1;
      return first;
    }
    const belongs =
      first !== undefined && /\p{Nd}/u.test(first) ? (char: string): boolean => /\p{Nd}/u.test(char) : isNameCharacter;
    let name = '';
    for (let char = this.#peek(); char !== undefined && belongs(char); char = this.#peek()) {
      name += char;
      this.#at += 1;
    }
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#variables(name);
    (value === undefined ? this.#unset : this.#used).add(name);
    return value;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(): string | undefined {
    const char = this.#peek();
    this.#at += 1;
    return char;
  }
}

function missingBrace(): DockerfileProblem {
  return new DockerfileProblem("syntax error: missing '}'", '${');
}

function modified(
  name: string,
  value: string | undefined,
  { modifier, word, emptyIsUnset }: { modifier: string; word: string; emptyIsUnset: boolean },
): string {
  const isUnset = value === undefined || (emptyIsUnset && value === '');
  switch (modifier) {
    case '-':
      return isUnset ? word : value;
    case '+':
      return isUnset ? '' : word;
    case '?': {
      if (!isUnset) return value;
      const fallback = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty';
      throw new DockerfileProblem(`${name}: ${word === '' ? fallback : word}`, name);
    }
    default: {
      const longest = word.startsWith(modifier);
      const pattern = longest ? word.slice(1) : word;
      return (modifier === '#' ? trimPrefix : trimSuffix)(value ?? '', pattern, longest);
    }
  }
}
