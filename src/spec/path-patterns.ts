import { EngineError } from '#errors';

/** One place of a pattern. */
type Token =
  | { readonly kind: 'char'; readonly char: string }
  /** One character that is no slash. */
  | { readonly kind: 'one' }
  /** Any number of characters that are no slash. */
  | { readonly kind: 'star' }
  /** Any number of characters, slashes too. */
  | { readonly kind: 'all' }
  /** Any number of whole directories, also none. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

interface Pattern {
  readonly tokens: readonly Token[];
  /** `!pattern`: takes back what earlier ones matched. */
  readonly exception: boolean;
}

/**
 * Path patterns of `.dockerignore`, `--exclude` and wildcards in COPY: `*`, `?`, `[a-z]`, `**`, `\x`, and with `!` exceptions. A
 * pattern that matches a directory matches all below it; the last one that matches decides. Matching takes time in proportion to the
 * lengths of path and pattern, whatever they are.
 *
 * @see the Dockerfile reference, ".dockerignore file"; Go's filepath.Match
 */
export class PathPatterns {
  readonly #patterns: readonly Pattern[];

  /** @throws {@link EngineError} invalidArgument for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.flatMap((text) => parse(text) ?? []);
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether any pattern is an exception, so that there may be matches below a directory that is none. */
  get hasExceptions(): boolean {
    return this.#patterns.some(({ exception }) => exception);
  }

  /** Whether the path itself matches, its parents not looked at. @param path - relative, without `./`. */
  matchesExactly(path: string): boolean {
    return this.#decide([path]);
  }

  /** Whether the path or one of its parents matches. */
  matches(path: string): boolean {
    const parts = path.split('/');
    return this.#decide(parts.map((_, index) => parts.slice(0, index + 1).join('/')).reverse());
  }

  #decide(paths: readonly string[]): boolean {
    let matched = false;
    for (const { tokens, exception } of this.#patterns) {
      if (exception !== matched) continue;
      if (paths.some((path) => matchTokens(tokens, [...path]))) matched = !exception;
    }
    return matched;
  }
}

/** The patterns of an ignore file: comments and blank lines gone, paths cleaned, leading slashes dropped. */
export function parseIgnoreFile(text: string): string[] {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return bare.split('\n').flatMap((line) => {
    if (line.startsWith('#')) return [];
    const trimmed = line.trim();
    if (trimmed === '') return [];
    const exception = trimmed.startsWith('!');
    const pattern = exception ? trimmed.slice(1).trim() : trimmed;
    const cleaned = pattern === '' ? '' : cleanPath(pattern).replace(/^\/(?=.)/, '');
    return [exception ? `!${cleaned}` : cleaned];
  });
}

/** Whether a text has wildcards. */
export function hasWildcards(text: string): boolean {
  return /(?<!\\)(?:\\\\)*[*?[]/.test(text);
}

/** Lexically: no doubled or trailing slashes, no `.`, and `..` as far as there is something to go up from. */
function cleanPath(path: string): string {
  const absolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/') || '.';
}

function parse(text: string): Pattern | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const exception = trimmed.startsWith('!');
  const body = exception ? trimmed.slice(1) : trimmed;
  if (body === '') throw malformed(text, 'illegal exclusion pattern: "!"');
  const cleaned = cleanPath(body);
  return { tokens: tokenize(cleaned.replace(/^\/(?=.)/, ''), text), exception };
}

function tokenize(pattern: string, written: string): Token[] {
  const chars = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (char === '*') {
      let stars = 1;
      while (chars[at + stars] === '*') stars += 1;
      at += stars - 1;
      if (stars === 1) tokens.push({ kind: 'star' });
      else {
        // `**/` is any directories; `**` at the end is everything, and in the middle of a name anything.
        const slash = chars[at + 1] === '/';
        if (slash) at += 1;
        tokens.push({ kind: at + 1 >= chars.length ? 'all' : slash ? 'directories' : 'all' });
      }
    } else if (char === '?') tokens.push({ kind: 'one' });
    else if (char === '[') {
      const end = classEnd(chars, at, written);
      tokens.push(toClass(chars.slice(at + 1, end), written));
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (at >= chars.length) throw malformed(written, 'syntax error in pattern');
      tokens.push({ kind: 'char', char: chars[at] ?? '' });
    } else tokens.push({ kind: 'char', char });
  }
  return tokens;
}

function classEnd(chars: readonly string[], start: number, written: string): number {
  let at = start + 1;
  if (chars[at] === '^') at += 1;
  for (; at < chars.length; at += 1) {
    if (chars[at] === '\\') at += 1;
    else if (chars[at] === ']' && at > start + 1) return at;
  }
  throw malformed(written, 'syntax error in pattern');
}

function toClass(inside: readonly string[], written: string): Token {
  const negated = inside[0] === '^';
  const ranges: [string, string][] = [];
  let at = negated ? 1 : 0;
  const next = (): string => {
    if (inside[at] === '\\') at += 1;
    const char = inside[at];
    at += 1;
    if (char === undefined) throw malformed(written, 'syntax error in pattern');
    return char;
  };
  while (at < inside.length) {
    const low = next();
    let high = low;
    if (inside[at] === '-') {
      at += 1;
      high = next();
    }
    ranges.push([low, high]);
  }
  if (ranges.length === 0) throw malformed(written, 'syntax error in pattern');
  return { kind: 'class', negated, ranges };
}

function malformed(pattern: string, why: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_PATTERN', `${why}: ${JSON.stringify(pattern)}`);
}

/** Follows all ways through the pattern at once. Odd states are inside a run of directories whose slash is yet to come. */
function matchTokens(tokens: readonly Token[], path: readonly string[]): boolean {
  let states = new Set<number>();
  enter(states, tokens, 0);
  for (const char of path) {
    const next = new Set<number>();
    for (const state of states) advance(next, tokens, state, char);
    if (next.size === 0) return false;
    states = next;
  }
  return states.has(2 * tokens.length);
}

function enter(states: Set<number>, tokens: readonly Token[], index: number): void {
  if (states.has(2 * index)) return;
  states.add(2 * index);
  const kind = tokens[index]?.kind;
  if (kind === 'star' || kind === 'all' || kind === 'directories') enter(states, tokens, index + 1);
}

function advance(next: Set<number>, tokens: readonly Token[], state: number, char: string): void {
  const index = state >> 1;
  const token = tokens[index];
  if (!token) return;
  switch (token.kind) {
    case 'all':
      enter(next, tokens, index);
      return;
    case 'directories':
      if (char === '/' && state % 2 === 1) {
        // Another directory may follow, or what comes after.
        enter(next, tokens, index);
      }
      next.add(2 * index + 1);
      return;
    case 'star':
      if (char !== '/') enter(next, tokens, index);
      return;
    case 'one':
      if (char !== '/') enter(next, tokens, index + 1);
      return;
    case 'class':
      if (char !== '/' && token.ranges.some(([low, high]) => low <= char && char <= high) !== token.negated) {
        enter(next, tokens, index + 1);
      }
      return;
    case 'char':
      if (char === token.char) enter(next, tokens, index + 1);
  }
}
