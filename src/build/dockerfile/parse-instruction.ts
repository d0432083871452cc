import { parseKeyValues, parseList, splitKeyValueWords } from './arguments.ts';
import { type InstructionLine, parseCommand, toInstructionLine } from './instruction-line.ts';
import { parseAdd, parseCopy } from './parse-copy.ts';
import { parseFlags } from './flags.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import type { Instruction, RunInstruction, Stage } from './instruction.ts';
import { checkMountFrom } from './mounts.ts';
import { DockerfileProblem } from './source.ts';
import { suggestion } from './suggest.ts';

type Written = Pick<Stage, 'range' | 'source'>;
type Parser = (given: InstructionLine) => Instruction;

export const KEYWORDS = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const;

const parsers: Readonly<Record<Exclude<(typeof KEYWORDS)[number], 'FROM'>, Parser>> = {
  ADD: (given) => ({ kind: 'add', ...written(given), ...parseAdd(given) }),
  ARG: parseArg,
  CMD: (given) => ({ kind: 'cmd', ...written(given), command: parseCommand(withoutFlags(given)) }),
  COPY: (given) => ({ kind: 'copy', ...written(given), ...parseCopy(given) }),
  ENTRYPOINT: (given) => ({ kind: 'entrypoint', ...written(given), command: parseCommand(withoutFlags(given)) }),
  ENV: (given) => ({ kind: 'env', ...written(given), ...pairs(given, 'ENV') }),
  EXPOSE: (given) => ({ kind: 'expose', ...written(given), ports: atLeastOne(given, 'EXPOSE').sort() }),
  HEALTHCHECK: (given) => ({ kind: 'healthcheck', ...written(given), health: parseHealthcheck(given) }),
  LABEL: (given) => ({ kind: 'label', ...written(given), ...pairs(given, 'LABEL') }),
  MAINTAINER: (given) => ({ kind: 'maintainer', ...written(given), name: exactlyOne(given, 'MAINTAINER') }),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (given) => ({ kind: 'stopsignal', ...written(given), signal: exactlyOne(given, 'STOPSIGNAL') }),
  USER: (given) => ({ kind: 'user', ...written(given), user: exactlyOne(given, 'USER') }),
  VOLUME: parseVolume,
  WORKDIR: (given) => ({ kind: 'workdir', ...written(given), path: exactlyOne(given, 'WORKDIR') }),
};

/** Reads any instruction but FROM. @throws DockerfileProblem with Docker's texts. */
export function parseInstruction(given: InstructionLine): Instruction {
  const keyword = given.keyword.toUpperCase();
  if (!Object.hasOwn(parsers, keyword)) {
    const hint = suggestion(keyword, KEYWORDS);
    throw new DockerfileProblem(`unknown instruction: ${given.keyword}${hint}`, given.keyword);
  }
  return parsers[keyword as keyof typeof parsers](given);
}

/** Reads a FROM; its instructions come later. */
export function parseFrom(given: InstructionLine): Omit<Stage, 'instructions'> {
  const words = parseWords(given.rest);
  const [base = '', as = '', writtenName = ''] = words;
  const isNamed = words.length === 3 && as.toLowerCase() === 'as';
  if (!isNamed && words.length !== 1)
    throw new DockerfileProblem('FROM requires either one or three arguments', given.rest);
  const name = isNamed ? writtenName.toLowerCase() : '';
  if (isNamed && !/^[a-z][a-z0-9\-_.]*$/.test(name)) {
    throw new DockerfileProblem(
      `invalid name for build stage: ${JSON.stringify(writtenName)}, name can't start with a number or contain symbols`,
      writtenName,
    );
  }
  const { platform } = parseFlags(given.flags, { platform: 'string' });
  return { ...written(given), base, name, writtenName, platform, comments: given.line.comments };
}

function written({ line }: InstructionLine): Written {
  return { range: { startLine: line.startLine, endLine: line.endLine }, source: line.text.trim() };
}

function withoutFlags(given: InstructionLine): InstructionLine {
  parseFlags(given.flags, {});
  return given;
}

function parseWords(text: string): string[] {
  return text.split(/[\t\v\f\r ]+/).filter((word) => word !== '');
}

function exactlyOne(given: InstructionLine, keyword: string): string {
  if (given.rest === '') throw new DockerfileProblem(`${keyword} requires exactly one argument`, given.keyword);
  return withoutFlags(given).rest;
}

function atLeastOne(given: InstructionLine, keyword: string): string[] {
  const words = parseWords(withoutFlags(given).rest);
  if (words.length === 0) throw new DockerfileProblem(`${keyword} requires at least one argument`, given.keyword);
  return words;
}

function pairs(given: InstructionLine, keyword: string): ReturnType<typeof parseKeyValues> {
  return parseKeyValues(withoutFlags(given).rest, keyword, given.escape);
}

function parseArg(given: InstructionLine): Instruction {
  const words = splitKeyValueWords(withoutFlags(given).rest, given.escape);
  if (words.length === 0) throw new DockerfileProblem('ARG requires at least one argument', given.keyword);
  const args = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals === 0) throw new DockerfileProblem('ARG names can not be blank', word);
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
  return { kind: 'arg', ...written(given), args };
}

function parseOnbuild(given: InstructionLine): Instruction {
  if (given.rest === '') throw new DockerfileProblem('ONBUILD requires at least one argument', given.keyword);
  const trigger = given.rest.split(/\s/, 1)[0]?.toUpperCase() ?? '';
  if (trigger === 'ONBUILD') {
    throw new DockerfileProblem("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", 'ONBUILD');
  }
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw new DockerfileProblem(`${trigger} isn't allowed as an ONBUILD trigger`, trigger);
  }
  const text = given.line.text.replace(/^\s*onbuild\s*/i, '');
  const heredocs = given.line.heredocs.map(({ name, content }) => `\n${content}${name}`).join('');
  // What the trigger says wrong is wrong here already.
  parseInstruction(toInstructionLine({ ...given.line, text }, given.escape));
  return { kind: 'onbuild', ...written(given), trigger: text + heredocs };
}

function parseRun(given: InstructionLine): RunInstruction {
  const flags = parseFlags(given.flags, {
    mount: 'strings',
    network: 'string',
    security: 'string',
    device: 'strings',
  });
  const command = parseCommand(given);
  if (command.args.length === 0) throw new DockerfileProblem('RUN requires at least one argument', given.keyword);
  for (const mount of flags.mount) checkMountFrom(mount);
  return {
    kind: 'run',
    ...written(given),
    command,
    mounts: flags.mount,
    network: oneOf(flags.network || 'default', ['default', 'none', 'host'], 'network mode'),
    security: oneOf(flags.security || 'sandbox', ['sandbox', 'insecure'], 'security'),
    devices: flags.device,
  };
}

function oneOf<const T extends string>(value: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined)
    throw new DockerfileProblem(`unsupported ${what} ${JSON.stringify(value)}${suggestion(value, allowed)}`, value);
  return found;
}

function parseShell(given: InstructionLine): Instruction {
  const { form, args } = parseCommand(withoutFlags(given));
  if (args.length === 0) throw new DockerfileProblem('SHELL requires at least one argument', given.keyword);
  if (form === 'shell') {
    throw new DockerfileProblem(`SHELL requires the arguments to be in JSON form: ${given.line.text}`, given.rest);
  }
  return { kind: 'shell', ...written(given), shell: args };
}

function parseVolume(given: InstructionLine): Instruction {
  const paths = parseList(withoutFlags(given).rest).map((path) => path.trim());
  if (paths.length === 0) throw new DockerfileProblem('VOLUME requires at least one argument', given.keyword);
  if (paths.includes('')) throw new DockerfileProblem('VOLUME specified can not be an empty string', given.rest);
  return { kind: 'volume', ...written(given), paths };
}
