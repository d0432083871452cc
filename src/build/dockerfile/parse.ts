import { type CheckDirective, DirectiveProblem, type Directives, parseCheck, readDirectives } from './directives.ts';
import type { ArgInstruction, Instruction, Stage } from './instruction.ts';
import { lintSyntax, type LintWarning } from './lint-syntax.ts';
import { type LogicalLine, readLogicalLines } from './logical-lines.ts';
import { toInstructionLine } from './instruction-line.ts';
import { parseFrom, parseInstruction } from './parse-instruction.ts';
import { DockerfileProblem, type DockerfileSource, parseError, toSource } from './source.ts';
import { EngineError } from '#errors';

/** A Dockerfile, read. */
export interface Dockerfile {
  readonly source: DockerfileSource;
  readonly directives: Directives;
  /** ARGs before the first FROM: for FROM lines only, unless a stage declares them again. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  /** What the text alone shows; what needs values and contexts is found while planning. */
  readonly warnings: readonly LintWarning[];
}

export interface ParseOptions {
  /** Name in messages. */
  readonly name: string;
  /** Instead of the `check` directive (`BUILDKIT_DOCKERFILE_CHECK`). */
  readonly check?: string | undefined;
}

/** More than this is no Dockerfile. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * Reads a Dockerfile: instructions with their places, stages, and what the linter thinks of them.
 *
 * @throws invalidArgument with Docker's texts, then file, line, column and the lines around.
 * @see the Dockerfile reference
 */
export function parseDockerfile(text: string, options: ParseOptions): Dockerfile {
  checkText(text, options.name);
  const source = toSource(options.name, text);
  const directives = readCheckedDirectives(source, options.check);
  const lines = readLogicalLines(source, directives);
  if (lines.length === 0) {
    throw parseError(source, { startLine: 1, endLine: 1 }, new DockerfileProblem('file with no instructions'));
  }
  const globalArgs: ArgInstruction[] = [];
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of lines) readLine(source, line, directives, { globalArgs, stages });
  const warnings = lintSyntax({ source, lines, globalArgs, stages, check: directives.check });
  return { source, directives, globalArgs, stages, warnings };
}

/** Reads one instruction that an image carries as an ONBUILD trigger. */
export function parseTrigger(trigger: string, image: string): Instruction[] {
  const source = toSource(`ONBUILD trigger of ${image}`, trigger);
  const directives = readDirectives([]).directives;
  return readLogicalLines(source, directives).map((line) =>
    located(source, line, () => parseInstruction(toInstructionLine(line, directives.escape))),
  );
}

function checkText(text: string, name: string): void {
  const refuse = (message: string): EngineError => new EngineError('invalidArgument', 'DOCKERFILE_PARSE', message);
  if (text.trim() === '') throw refuse(`the Dockerfile (${name}) cannot be empty`);
  if (text.length > MAX_CHARACTERS) {
    throw refuse(`the Dockerfile (${name}) is larger than ${MAX_CHARACTERS / 1024 / 1024} MiB`);
  }
  if (text.includes('\0')) throw refuse(`the Dockerfile (${name}) is no text: it has null bytes`);
}

function readCheckedDirectives(source: DockerfileSource, check: string | undefined): Directives {
  try {
    const { directives } = readDirectives(source.lines);
    return check === undefined ? directives : { ...directives, check: parseCheck(check) satisfies CheckDirective };
  } catch (error) {
    if (!(error instanceof DockerfileProblem)) throw error;
    const line = error instanceof DirectiveProblem ? error.line : lineOf(source, error.token);
    throw parseError(source, { startLine: line, endLine: line }, error);
  }
}

function lineOf(source: DockerfileSource, token: string): number {
  return Math.max(1, source.lines.findIndex((line) => line.includes(token)) + 1);
}

function readLine(
  source: DockerfileSource,
  line: LogicalLine,
  directives: Directives,
  into: { globalArgs: ArgInstruction[]; stages: (Stage & { instructions: Instruction[] })[] },
): void {
  const given = toInstructionLine(line, directives.escape);
  located(source, line, () => {
    if (given.keyword.toUpperCase() === 'FROM') {
      into.stages.push({ ...parseFrom(given), instructions: [] });
      return;
    }
    const instruction = parseInstruction(given);
    const stage = into.stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') into.globalArgs.push(instruction);
    else throw new DockerfileProblem('no build stage in current context', given.keyword);
  });
}

/** Gives a problem its place. */
function located<T>(source: DockerfileSource, line: LogicalLine, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DockerfileProblem ? parseError(source, line, error) : error;
  }
}
