import { parseList } from './arguments.ts';
import { parseFlags } from './flags.ts';
import { parseHeredocMark } from './heredoc.ts';
import type { AddInstruction, CopyInstruction, CopySources } from './instruction.ts';
import type { InstructionLine } from './instruction-line.ts';
import { DockerfileProblem } from './source.ts';

type Own<T> = Omit<T, 'kind' | 'range' | 'source'>;

/** @throws DockerfileProblem with Docker's texts. */
export function parseCopy(given: InstructionLine): Own<CopyInstruction> {
  const flags = parseFlags(given.flags, {
    from: 'string',
    chown: 'string',
    chmod: 'string',
    link: 'bool',
    exclude: 'strings',
    parents: 'bool',
  });
  const { from, parents = false, link = false, ...rest } = flags;
  return { ...parseSources(given, 'COPY'), ...rest, link, from, parents };
}

/** @throws DockerfileProblem with Docker's texts. */
export function parseAdd(given: InstructionLine): Own<AddInstruction> {
  const flags = parseFlags(given.flags, {
    chown: 'string',
    chmod: 'string',
    link: 'bool',
    'keep-git-dir': 'bool',
    checksum: 'string',
    unpack: 'bool',
    exclude: 'strings',
  });
  const { 'keep-git-dir': keepGitDir, link = false, ...rest } = flags;
  return { ...parseSources(given, 'ADD'), ...rest, link, keepGitDir };
}

function parseSources(
  given: InstructionLine,
  keyword: string,
): Pick<CopySources, 'sources' | 'heredocs' | 'destination'> {
  const words = parseList(given.rest);
  const destination = words.at(-1) ?? '';
  if (words.length < 2) {
    throw new DockerfileProblem(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
      given.keyword,
    );
  }
  if (parseHeredocMark(destination)) {
    throw new DockerfileProblem(`${keyword} cannot accept a heredoc as a destination`, destination);
  }
  const sources = words.slice(0, -1).filter((word) => !parseHeredocMark(word));
  return { sources, heredocs: given.line.heredocs, destination };
}
