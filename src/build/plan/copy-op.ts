import { posix } from 'node:path';
import { type AddInstruction, type CopyInstruction, DockerfileProblem, heredocText } from '../dockerfile/index.ts';
import type { CopyOp, CopySource, Tree } from './ops.ts';

export interface CopySurroundings {
  readonly workingDir: string;
  readonly expand: (text: string) => string;
  /** As {@link expand}, quotes left alone: for the content of heredocs. */
  readonly expandContent: (text: string) => string;
  readonly tree: Tree;
  readonly keepGitDir: boolean;
}

/** A copy, and the instruction with its variables expanded. */
export interface PlannedCopy {
  readonly op: CopyOp;
  readonly text: string;
}

const gitUrl = /^(?:git@[^:]+:|git:\/\/|ssh:\/\/|(?:https?:\/\/[^#?]+\.git(?:[#?]|$)))/;
const httpUrl = /^https?:\/\//i;

/** Whether ADD clones the source. */
export function isGitUrl(source: string): boolean {
  return gitUrl.test(source) || /^https?:\/\/github\.com\/[^/]+\/[^/]+\/?(?:#|$)/.test(source);
}

/** What a COPY or ADD does. @throws DockerfileProblem with Docker's texts. */
export function toCopyOp(instruction: CopyInstruction | AddInstruction, surroundings: CopySurroundings): PlannedCopy {
  const isAdd = instruction.kind === 'add';
  const sources = instruction.sources.map(surroundings.expand);
  const written = surroundings.expand(instruction.destination);
  const heredocs = instruction.heredocs.map((heredoc): CopySource => {
    const content = heredocText(heredoc);
    const name = posix.basename(heredoc.name);
    return { kind: 'inline', name, content: heredoc.expand ? surroundings.expandContent(content) : content };
  });
  const remote = isAdd ? sources.flatMap((source) => remoteSource(source, instruction, surroundings) ?? []) : [];
  const local = isAdd ? sources.filter((source) => !isGitUrl(source) && !httpUrl.test(source)) : sources;
  const paths: CopySource[] = local.length === 0 ? [] : [{ kind: 'paths', tree: surroundings.tree, paths: local }];
  const destination = absolute(surroundings.workingDir, written);
  if (sources.length + heredocs.length > 1 && !destination.endsWith('/')) {
    const name = isAdd ? 'ADD' : 'COPY';
    throw new DockerfileProblem(
      `When using ${name} with more than one source file, the destination must be a directory and end with a /`,
      instruction.destination,
    );
  }
  if (isAdd && instruction.checksum !== '') checkChecksum(instruction, remote);
  const chown = surroundings.expand(instruction.chown);
  const chmod = surroundings.expand(instruction.chmod);
  const op: CopyOp = {
    kind: 'copy',
    sources: [...paths, ...remote, ...heredocs],
    destination,
    chown,
    chmod: checkedMode(chmod),
    link: instruction.link,
    exclude: instruction.exclude.map(surroundings.expand),
    parents: instruction.kind === 'copy' && instruction.parents,
    unpack: isAdd ? unpackOf(instruction.unpack) : 'never',
  };
  return { op, text: toText(instruction, { sources, written, chown, chmod }) };
}

function unpackOf(flag: boolean | undefined): CopyOp['unpack'] {
  if (flag === undefined) return 'local';
  return flag ? 'always' : 'never';
}

function remoteSource(
  source: string,
  instruction: AddInstruction,
  surroundings: CopySurroundings,
): CopySource | undefined {
  const checksum = surroundings.expand(instruction.checksum);
  if (isGitUrl(source)) {
    const keepGitDir = instruction.keepGitDir ?? surroundings.keepGitDir;
    return { kind: 'git', url: source, keepGitDir, checksum };
  }
  return httpUrl.test(source) ? { kind: 'http', url: source, checksum } : undefined;
}

function checkChecksum({ checksum, sources }: AddInstruction, remote: readonly CopySource[]): void {
  if (sources.length !== 1) throw new DockerfileProblem("checksum can't be specified for multiple sources", checksum);
  if (remote.length === 0) {
    throw new DockerfileProblem("checksum can't be specified for non-HTTP(S) sources", checksum);
  }
  if (remote[0]?.kind === 'http' && !/^sha(?:256|384|512):[0-9a-f]+$/.test(remote[0].checksum)) {
    throw new DockerfileProblem(`invalid checksum ${JSON.stringify(remote[0].checksum)}`, checksum);
  }
}

/** Octal, or symbolic as chmod(1) has it. */
function checkedMode(mode: string): string {
  if (mode === '' || /^[0-7]{1,5}$/.test(mode)) return mode;
  if (/^(?:[ugoa]*(?:[-+=][rwxXst]*|[-+=][ugo])+)(?:,[ugoa]*(?:[-+=][rwxXst]*|[-+=][ugo])+)*$/.test(mode)) return mode;
  throw new DockerfileProblem(
    `invalid chmod parameter: '${mode}'. it should be octal string and between 0 and 07777`,
    mode,
  );
}

function absolute(workingDir: string, written: string): string {
  const path = posix.resolve(workingDir, written);
  const isDirectory = written.endsWith('/') || written === '.' || written === '' || written.endsWith('/.');
  return isDirectory && path !== '/' ? `${path}/` : path;
}

/** The instruction as histories and progress show it. */
function toText(
  instruction: CopyInstruction | AddInstruction,
  { sources, written, chown, chmod }: { sources: readonly string[]; written: string; chown: string; chmod: string },
): string {
  const flags = [
    ...(instruction.kind === 'copy' && instruction.from !== '' ? [`--from=${instruction.from}`] : []),
    ...(chown === '' ? [] : [`--chown=${chown}`]),
    ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
    ...(instruction.link ? ['--link'] : []),
  ];
  const files = instruction.heredocs.map(({ name }) => `<<${name}`);
  return [instruction.kind.toUpperCase(), ...flags, ...sources, ...files, written].join(' ');
}
