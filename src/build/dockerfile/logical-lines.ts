import type { Directives } from './directives.ts';
import { type Heredoc, heredocMarks } from './heredoc.ts';
import { DockerfileProblem, type DockerfileSource, parseError, type SourceRange } from './source.ts';

/** One instruction's text: continued lines joined, comments gone, heredocs taken out. */
export interface LogicalLine extends SourceRange {
  readonly text: string;
  /** The comments right above it, without their marks. */
  readonly comments: readonly string[];
  readonly heredocs: readonly Heredoc[];
  /** A blank line stood inside; Docker will refuse that one day. */
  readonly hasEmptyContinuation: boolean;
}

const heredocInstructions = /^(?:onbuild\s+)*(?:add|copy|run)\b/i;

/** Cuts a Dockerfile into its instructions. @throws invalidArgument with the place. */
export function readLogicalLines(source: DockerfileSource, directives: Directives): LogicalLine[] {
  return new LineReader(source, directives.escape).read();
}

class LineReader {
  readonly #source: DockerfileSource;
  readonly #continued: RegExp;
  #next = 0;

  constructor(source: DockerfileSource, escape: string) {
    const mark = `\\${escape}`;
    this.#source = source;
    // Not where the mark itself is escaped.
    this.#continued = new RegExp(`(?<!${mark})${mark}[ \\t]*$`);
  }

  read(): LogicalLine[] {
    const lines: LogicalLine[] = [];
    let comments: string[] = [];
    while (this.#next < this.#source.lines.length) {
      const first = (this.#source.lines[this.#next] ?? '').trimStart();
      if (isComment(first)) {
        const comment = first.slice(1).trim();
        comments = comment === '' ? [] : [...comments, comment];
        this.#next += 1;
      } else if (first === '') this.#next += 1;
      else {
        lines.push(this.#instruction(comments));
        comments = [];
      }
    }
    return lines;
  }

  #instruction(comments: readonly string[]): LogicalLine {
    const startLine = this.#next + 1;
    let hasEmptyContinuation = false;
    let piece = (this.#source.lines[this.#next] ?? '').trimStart();
    let text = '';
    this.#next += 1;
    for (;;) {
      const goesOn = this.#continued.test(piece);
      text += goesOn ? piece.replace(this.#continued, '') : piece;
      if (!goesOn) break;
      const following = this.#continuation();
      hasEmptyContinuation ||= following.skippedBlank;
      if (following.piece === undefined) break;
      piece = following.piece;
    }
    const heredocs = this.#heredocs(text, startLine);
    return { text, startLine, endLine: this.#next, comments, heredocs, hasEmptyContinuation };
  }

  /** The next line that belongs to the instruction: neither comment nor blank. */
  #continuation(): { piece: string | undefined; skippedBlank: boolean } {
    let skippedBlank = false;
    for (;;) {
      const line = this.#source.lines[this.#next];
      if (line === undefined) return { piece: undefined, skippedBlank };
      this.#next += 1;
      if (line.trim() === '') skippedBlank = true;
      else if (!isComment(line)) return { piece: line, skippedBlank };
    }
  }

  #heredocs(text: string, startLine: number): Heredoc[] {
    if (!heredocInstructions.test(text)) return [];
    return heredocMarks(text).map((mark) => ({ ...mark, content: this.#heredocContent(mark, startLine) }));
  }

  #heredocContent(mark: Omit<Heredoc, 'content'>, startLine: number): string {
    let content = '';
    for (;;) {
      const line = this.#source.lines[this.#next];
      if (line === undefined) {
        const range = { startLine, endLine: this.#next };
        throw parseError(this.#source, range, new DockerfileProblem('unterminated heredoc', `<<`));
      }
      this.#next += 1;
      if ((mark.stripTabs ? line.replace(/^\t+/, '') : line) === mark.name) return content;
      content += `${line}\n`;
    }
  }
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}
