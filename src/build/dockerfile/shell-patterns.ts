import { DockerfileProblem } from './source.ts';

/** One place of a pattern: a character, any one, or any number of any. */
type Element = { readonly char: string } | 'one' | 'many';

/** Matching a value costs at most its length times the pattern's, at each place; beyond this many steps it is refused. */
const MAX_STEPS = 1e9;

/** A shell pattern as the substitutions of a Dockerfile know it: `*`, `?`, and a backslash before what is meant as it stands. */
function parsePattern(pattern: string): Element[] {
  const chars = [...pattern];
  const elements: Element[] = [];
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? '';
    if (char === '*') elements.push('many');
    else if (char === '?') elements.push('one');
    else if (char === '\\') {
      at += 1;
      const next = chars[at];
      if (next === undefined) {
        throw new DockerfileProblem(`invalid pattern (${pattern}) in substitution: invalid escape`, pattern);
      }
      elements.push({ char: next });
    } else elements.push({ char });
  }
  return elements;
}

/** Where a match that begins at `start` may end: the nearest or the farthest place; undefined if nowhere. */
function matchEnd(
  value: readonly string[],
  start: number,
  pattern: readonly Element[],
  longest: boolean,
): number | undefined {
  let states = closure(new Set([0]), pattern);
  let found: number | undefined;
  for (let at = start; ; at += 1) {
    if (states.has(pattern.length)) {
      if (!longest) return at;
      found = at;
    }
    const char = value[at];
    if (char === undefined || states.size === 0) return found;
    states = closure(step(states, pattern, char), pattern);
  }
}

function step(states: ReadonlySet<number>, pattern: readonly Element[], char: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const element = pattern[state];
    if (element === 'many') next.add(state);
    else if (element === 'one' || (element !== undefined && element.char === char)) next.add(state + 1);
  }
  return next;
}

/** A star may also match nothing. */
function closure(states: Set<number>, pattern: readonly Element[]): Set<number> {
  for (const state of states) if (pattern[state] === 'many') states.add(state + 1);
  return states;
}

/** `${x#pattern}`, with `longest` `${x##pattern}`. */
export function trimPrefix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value];
  const end = matchEnd(chars, 0, parsePattern(pattern), longest);
  return end === undefined ? value : chars.slice(end).join('');
}

/** `${x%pattern}`, with `longest` `${x%%pattern}`. */
export function trimSuffix(value: string, pattern: string, longest: boolean): string {
  const chars = [...value].reverse();
  const end = matchEnd(chars, 0, parsePattern(pattern).reverse(), longest);
  return end === undefined ? value : chars.slice(end).reverse().join('');
}

/** `${x/pattern/replacement}`, with `all` `${x//pattern/replacement}`: each match as long as it can be. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  const chars = [...value];
  const elements = parsePattern(pattern);
  if (chars.length * chars.length * elements.length > MAX_STEPS) {
    throw new DockerfileProblem('the value is too long for a replacement in a substitution', pattern);
  }
  let result = '';
  for (let at = 0; at <= chars.length;) {
    const end = matchEnd(chars, at, elements, true);
    if (end !== undefined) {
      result += replacement;
      if (!all) return result + chars.slice(end).join('');
    }
    if (end === undefined || end === at) {
      result += chars[at] ?? '';
      at += 1;
    } else at = end;
  }
  return result;
}
