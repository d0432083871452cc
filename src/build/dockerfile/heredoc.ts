import { expand, noVariables } from './shell-words.ts';

/** Text that stands in the Dockerfile itself: `<<EOF`. */
export interface Heredoc {
  /** The word that ends it; for COPY and ADD also the file's name. */
  readonly name: string;
  /** `3<<EOF`: which descriptor a shell would give it; 0 if none is named. */
  readonly fd: number;
  /** Variables count, because no part of the word was quoted. */
  readonly expand: boolean;
  /** `<<-EOF`: tabs at the start of lines go. */
  readonly stripTabs: boolean;
  /** The lines up to the end word, newlines and all, tabs still there. */
  readonly content: string;
}

const markPattern = /^(\d*)<<(-?)\s*([^<]*)$/;
const lexing = { escape: '\\', keepUnset: true } as const;

/** Whether a word of an instruction is the mark of a heredoc, and of which. */
export function parseHeredocMark(word: string): Omit<Heredoc, 'content'> | undefined {
  const match = markPattern.exec(word);
  const rest = match?.[3] ?? '';
  if (!match || rest === '') return undefined;
  const bare = expand(rest, noVariables, lexing).words;
  const quoted = expand(rest, noVariables, { ...lexing, keepQuotes: true }).words;
  const [name] = bare;
  if (name === undefined || bare.length !== 1) return undefined;
  return {
    name,
    fd: Number(match[1] || '0'),
    expand: countQuotes(name) === countQuotes(quoted[0] ?? ''),
    stripTabs: match[2] === '-',
  };
}

/** The heredocs that an instruction announces, in order. */
export function heredocMarks(line: string): Omit<Heredoc, 'content'>[] {
  if (!line.includes('<<')) return [];
  let words: readonly string[];
  try {
    words = expand(line, noVariables, { ...lexing, keepQuotes: true, keepEscapes: true }).words;
  } catch {
    // A line whose quotes are not closed is a shell's business.
    return [];
  }
  return words.flatMap((word) => parseHeredocMark(word) ?? []);
}

/** The content as it is used. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.stripTabs ? heredoc.content.replaceAll(/^\t+/gm, '') : heredoc.content;
}

function countQuotes(text: string): number {
  return [...text].filter((char) => char === '"' || char === "'").length;
}
