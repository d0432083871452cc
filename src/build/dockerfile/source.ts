import { EngineError } from '#errors';

/** Lines of a Dockerfile, counted from 1, both ends included. */
export interface SourceRange {
  readonly startLine: number;
  readonly endLine: number;
}

/** A Dockerfile's text under the name that messages give it. */
export interface DockerfileSource {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Lines shown around the one that is meant. */
const CONTEXT_LINES = 2;
/** Longest piece of a line that is shown; a Dockerfile may have been made by a program. */
const MAX_SHOWN_CHARACTERS = 200;

export function toSource(name: string, text: string): DockerfileSource {
  const bare = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const lines = bare.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  // A final newline ends the last line and begins none.
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return { name, lines };
}

/**
 * The lines of a range with their neighbours, those meant marked:
 *
 * ```
 * Dockerfile:3
 * --------------------
 *    1 |     FROM busybox
 *    2 | >>> FOO bar
 * --------------------
 * ```
 */
export function excerpt(source: DockerfileSource, range: SourceRange, column?: number): string {
  const first = Math.max(1, range.startLine - CONTEXT_LINES);
  const last = Math.min(source.lines.length, range.endLine + CONTEXT_LINES);
  const rule = '-'.repeat(20);
  const shown: string[] = [];
  for (let line = first; line <= last; line += 1) {
    const isMeant = line >= range.startLine && line <= range.endLine;
    const text = (source.lines[line - 1] ?? '').slice(0, MAX_SHOWN_CHARACTERS);
    shown.push(`${String(line).padStart(4)} | ${isMeant ? '>>>' : '   '} ${text}`.trimEnd());
  }
  const place = column === undefined ? '' : `:${column}`;
  return [`${source.name}:${range.startLine}${place}`, rule, ...shown, rule].join('\n');
}

/** Where in the range `token` stands: its line, and its column counted from 1. */
function locate(source: DockerfileSource, range: SourceRange, token: string): { line: number; column: number } {
  for (let line = range.startLine; line <= range.endLine; line += 1) {
    const at = token === '' ? -1 : (source.lines[line - 1] ?? '').indexOf(token);
    if (at >= 0) return { line, column: at + 1 };
  }
  const text = source.lines[range.startLine - 1] ?? '';
  return { line: range.startLine, column: text.length - text.trimStart().length + 1 };
}

/** What is wrong with an instruction, before it is known where that stands. */
export class DockerfileProblem extends Error {
  /** The piece of text that is meant, to find its column. */
  readonly token: string;

  constructor(message: string, token = '') {
    super(message);
    this.token = token;
  }
}

/**
 * The error of a Dockerfile that cannot be read: Docker's message first, since clients match it, then the place and its lines.
 * `details` has file, line and column.
 */
export function parseError(source: DockerfileSource, range: SourceRange, problem: DockerfileProblem): EngineError {
  const { line, column } = locate(source, range, problem.token);
  return new EngineError(
    'invalidArgument',
    'DOCKERFILE_PARSE',
    `dockerfile parse error on line ${range.startLine}: ${problem.message}\n${excerpt(source, range, column)}`,
    { details: { file: source.name, line, column } },
  );
}
