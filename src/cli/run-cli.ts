import { readConfigFile } from './config/config-file.ts';
import { CliContext } from './context.ts';
import type { Command, CommandLine, FoundCommand, GroupNode } from './framework/command.ts';
import { CliError } from './framework/errors.ts';
import type { FlagSpecs } from './framework/flags.ts';
import { FlagSyntaxError, parseFlags, type ParsedLine } from './framework/parse.ts';
import { type GlobalFlags, globalFlagSpecs, readGlobalFlags } from './global-flags.ts';
import { BrokenPipeError, type CliIo } from './io.ts';
import { describeChild, findChild, groups, shortcuts, singles } from './tree.ts';

/** Docker's exit code for a line that cannot be taken apart. */
const badFlagsCode = 125;
/** What a shell shows for a process ended by SIGPIPE. */
const brokenPipeCode = 141;

export interface CliCall {
  /** The name the program was called by. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: CliIo;
}

/** Runs one command line and returns its exit code; failures are printed, not thrown. */
export async function runCli(call: CliCall): Promise<number> {
  try {
    return await dispatch(call);
  } catch (error) {
    if (error instanceof BrokenPipeError) return brokenPipeCode;
    const { describeError, exitCodeOf } = await import('./framework/describe-error.ts');
    const text = describeError(error, call.program);
    if (text !== '') call.io.err(`${text}\n`);
    return exitCodeOf(error);
  }
}

async function dispatch(call: CliCall): Promise<number> {
  const { program, env, io } = call;
  const specs = globalFlagSpecs(env);
  const line = parseOrFail(specs, call.argv, false, `${program} [OPTIONS] COMMAND [ARG...]`, program);
  const globals = readGlobalFlags(line.values, line.given, env);
  if (line.help !== false) {
    if (line.help === 'shorthand') io.out('Flag shorthand -h has been deprecated, use --help\n');
    const { topHelp } = await import('./framework/help.ts');
    io.out(topHelp(program, specs, io.columns()));
    return 0;
  }
  if (globals.version) {
    const { clientVersion } = await import('./version.ts');
    io.out(
      program === 'docker' ? `Docker version ${clientVersion}, build berth\n` : `Berth version ${clientVersion}\n`,
    );
    return 0;
  }
  const [first, ...rest] = line.args;
  if (first === undefined) {
    const { topHelp } = await import('./framework/help.ts');
    io.err(topHelp(program, specs, io.columns()));
    return 0;
  }
  if (first === 'help') return await showHelp(call, specs, rest);
  const group = groups.find((candidate) => candidate.name === first);
  if (group) return await runGroup(call, globals, group, rest);
  const found = findTop(program, first);
  if (!found)
    throw new CliError(
      `${program}: unknown command: ${program} ${first}\n\nRun '${program} --help' for more information`,
    );
  return await runCommand(call, globals, found, rest);
}

function findTop(program: string, word: string): FoundCommand | undefined {
  const path = `${program} ${word}`;
  const short = Object.hasOwn(shortcuts, word) ? shortcuts[word] : undefined;
  if (short) {
    const node = findChild(short[0], short[1]);
    return node && describeChild(program, path, short[0], node);
  }
  const node = singles.find((candidate) => candidate.name === word);
  return node && { node, path, spellings: [path] };
}

async function runGroup(
  call: CliCall,
  globals: GlobalFlags,
  group: GroupNode,
  argv: readonly string[],
): Promise<number> {
  const { program, io } = call;
  const path = `${program} ${group.name}`;
  if (group.children.length === 0) throw notBuilt(program, group.name);
  const line = parseOrFail({}, argv, false, `${path} COMMAND`, path);
  const [word, ...rest] = line.args;
  if (line.help !== false || word === undefined) {
    const { groupHelp } = await import('./framework/help.ts');
    const text = groupHelp(program, group);
    if (line.help === false) io.err(text);
    else io.out(text);
    return 0;
  }
  const node = findChild(group, word);
  if (!node) {
    throw new CliError(
      `${program}: unknown command: ${path} ${word}\n\nUsage:  ${path}\n\nRun '${path} --help' for more information`,
    );
  }
  return await runCommand(call, globals, describeChild(program, `${path} ${word}`, group, node), rest);
}

async function runCommand(
  call: CliCall,
  globals: GlobalFlags,
  found: FoundCommand,
  argv: readonly string[],
): Promise<number> {
  const { program, env, io } = call;
  const command = await loadCommand(program, found);
  const usage = command.usage === '' ? found.path : `${found.path} ${command.usage}`;
  const line = parseOrFail(command.flags, argv, command.interspersed, usage, found.path);
  if (line.help !== false) {
    if (line.help === 'shorthand') io.out('Flag shorthand -h has been deprecated, use --help\n');
    const { commandHelp } = await import('./framework/help.ts');
    io.out(commandHelp(found, command, io.columns()));
    return 0;
  }
  checkArity(program, found.path, usage, command, line.args);
  const ctx = new CliContext({
    program,
    commandPath: found.path,
    env,
    globals,
    io,
    loadConfig: () => readConfigFile(globals.configDir),
  });
  try {
    return (await command.run(ctx, asLine(line))) ?? 0;
  } finally {
    await ctx.close();
  }
}

async function loadCommand(program: string, found: FoundCommand): Promise<Command> {
  if (!found.node.load) throw notBuilt(program, found.path.slice(program.length + 1));
  return (await found.node.load()).command;
}

function notBuilt(program: string, words: string): CliError {
  return new CliError(`${program}: '${words}' is not implemented yet`);
}

function asLine(line: ParsedLine): CommandLine<FlagSpecs> {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseFlags fills exactly the table's names */
  const flags = line.values as CommandLine<FlagSpecs>['flags'];
  return { flags, args: line.args, given: (name) => line.given.has(name) };
}

function parseOrFail(
  specs: FlagSpecs,
  argv: readonly string[],
  interspersed: boolean,
  usage: string,
  path: string,
): ParsedLine {
  try {
    return parseFlags(specs, argv, interspersed);
  } catch (error) {
    if (!(error instanceof FlagSyntaxError)) throw error;
    const text = `${error.message}\n\nUsage:  ${usage}\n\nRun '${path} --help' for more information`;
    throw new CliError(text, badFlagsCode, { cause: error });
  }
}

function checkArity(program: string, path: string, usage: string, command: Command, args: readonly string[]): void {
  const wrong = arityComplaint(command.args, args.length);
  if (wrong === undefined) return;
  const see = command.args.kind === 'min' ? 'See' : 'Run';
  throw new CliError(
    `${program}: '${path}' ${wrong}\n\nUsage:  ${usage}\n\n${see} '${path} --help' for more information`,
  );
}

function arityComplaint(arity: Command['args'], count: number): string | undefined {
  const plural = (number: number): string => (number === 1 ? 'argument' : 'arguments');
  switch (arity.kind) {
    case 'any':
      return undefined;
    case 'none':
      return count === 0 ? undefined : 'accepts no arguments';
    case 'exact':
      return count === arity.count ? undefined : `requires ${arity.count} ${plural(arity.count)}`;
    case 'min':
      return count >= arity.min ? undefined : `requires at least ${arity.min} ${plural(arity.min)}`;
    case 'max':
      return count <= arity.max ? undefined : `requires at most ${arity.max} ${plural(arity.max)}`;
    case 'range':
      return count >= arity.min && count <= arity.max
        ? undefined
        : `requires at least ${arity.min} and at most ${arity.max} ${plural(arity.max)}`;
  }
}

async function showHelp(call: CliCall, specs: FlagSpecs, words: readonly string[]): Promise<number> {
  const { program, io } = call;
  const { commandHelp, groupHelp, topHelp } = await import('./framework/help.ts');
  const [first, second] = words;
  const group = groups.find((candidate) => candidate.name === first && candidate.children.length > 0);
  const child = group && second !== undefined ? findChild(group, second) : undefined;
  if (first === undefined) io.out(topHelp(program, specs, io.columns()));
  else if (group && !child) io.out(groupHelp(program, group));
  else {
    const found =
      group && child ? describeChild(program, `${program} ${words.join(' ')}`, group, child) : findTop(program, first);
    if (!found) throw new CliError(`unknown help topic: ${words.join(' ')}`);
    io.out(commandHelp(found, await loadCommand(program, found), io.columns()));
  }
  return 0;
}
