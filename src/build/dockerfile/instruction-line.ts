import { parseJsonArray, splitInstruction } from './arguments.ts';
import type { CommandLine } from './instruction.ts';
import type { LogicalLine } from './logical-lines.ts';

/** A line cut up, ready for its instruction's parser. */
export interface InstructionLine {
  readonly line: LogicalLine;
  /** As written. */
  readonly keyword: string;
  readonly flags: readonly string[];
  readonly rest: string;
  readonly escape: string;
}

/** Cuts a line up. */
export function toInstructionLine(line: LogicalLine, escape: string): InstructionLine {
  return { line, escape, ...splitInstruction(line.text, escape) };
}

/** Exec form if it is a JSON array of strings, else one string for the shell. */
export function parseCommand({ rest, line }: Pick<InstructionLine, 'rest' | 'line'>): CommandLine {
  const array = parseJsonArray(rest);
  if (array) return { form: 'exec', args: array, heredocs: line.heredocs };
  return { form: 'shell', args: rest === '' ? [] : [rest], heredocs: line.heredocs };
}
