import type { KeyValue } from './instruction.ts';
import { DockerfileProblem } from './source.ts';

/** The keyword of an instruction, its flags, and the rest. */
export interface SplitInstruction {
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
}

const blanks = /[\t\v\f\r ]+/;

/** Cuts `COPY --chown=a b c` into keyword, flags and the rest. */
export function splitInstruction(text: string, escape: string): SplitInstruction {
  const trimmed = text.trim();
  const match = blanks.exec(trimmed);
  if (!match) return { keyword: trimmed, flags: [], rest: '' };
  const keyword = trimmed.slice(0, match.index);
  const { flags, rest } = takeFlags(trimmed.slice(match.index + match[0].length), escape);
  return { keyword, flags, rest: rest.trim() };
}

/** Takes words that begin with `--` off the front; `--` alone ends them. */
function takeFlags(text: string, escape: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let rest = text.trimStart();
  while (rest.startsWith('--')) {
    const [word, length] = takeWord(rest, escape);
    rest = rest.slice(length).trimStart();
    if (word === '--') break;
    flags.push(word);
  }
  return { flags, rest };
}

/** A flag's word without its quotes and escapes, and how much text that was. */
function takeWord(text: string, escape: string): [word: string, length: number] {
  let word = '';
  let quote = '';
  let at = 0;
  for (; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote === '' && /\s/.test(char)) break;
    if (char === escape && at + 1 < text.length) {
      at += 1;
      word += quote === "'" ? char + (text[at] ?? '') : (text[at] ?? '');
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else word += char;
  }
  return [word, at];
}

/** The strings of a JSON array; undefined when the text is none. @throws DockerfileProblem for an array of other things. */
export function parseJsonArray(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  if (parsed.every((item) => typeof item === 'string')) return parsed;
  throw new DockerfileProblem('when using JSON array syntax, arrays must be comprised of strings only', text);
}

/** A JSON array, or words parted by white space. */
export function parseList(text: string): string[] {
  return parseJsonArray(text) ?? text.split(blanks).filter((word) => word !== '');
}

/**
 * `a=b c="d e"`, or the legacy form `a rest of the line`.
 *
 * @throws DockerfileProblem with Docker's texts.
 */
export function parseKeyValues(
  text: string,
  keyword: string,
  escape: string,
): { pairs: KeyValue[]; isLegacy: boolean } {
  const words = splitKeyValueWords(text, escape);
  const [first] = words;
  if (first === undefined) throw new DockerfileProblem(`${keyword} requires at least one argument`);
  if (!first.includes('=')) {
    const match = blanks.exec(text);
    if (!match) throw new DockerfileProblem(`${keyword} must have two arguments`, text);
    const key = text.slice(0, match.index);
    return { pairs: [{ key, value: text.slice(match.index + match[0].length) }], isLegacy: true };
  }
  const pairs = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      const quoted = JSON.stringify(word);
      throw new DockerfileProblem(`Syntax error - can't find = in ${quoted}. Must be of the form: name=value`, word);
    }
    if (equals === 0) throw new DockerfileProblem(`${keyword} names can not be blank`, word);
    return { key: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { pairs, isLegacy: false };
}

/** Words as written, quotes, escapes and variables and all: white space inside quotes and after an escape does not part. */
export function splitKeyValueWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let inWord = false;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote === '' && /\s/.test(char)) {
      if (inWord) words.push(word);
      word = '';
      inWord = false;
      continue;
    }
    inWord = true;
    word += char;
    if (char === escape && quote !== "'") {
      at += 1;
      word += text[at] ?? '';
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  if (inWord) words.push(word);
  return words;
}
