import { groups, isBuilt, shortcuts, singles } from '../tree.ts';
import type { Command, CommandNode, FoundCommand, GroupNode } from './command.ts';
import type { FlagSpec, FlagSpecs } from './flags.ts';

/** First in the top-level help, in this order. */
const commonCommands = 'run exec ps build pull push images login logout search version info'.split(' ');

/** The usage line of a command without the word "Usage". */
export function usageLine(path: string, command: Command): string {
  return command.usage === '' ? path : `${path} ${command.usage}`;
}

/** What `--help` prints for a command, in Docker's layout. */
export function commandHelp(found: FoundCommand, command: Command, columns: number): string {
  let text = `Usage:  ${usageLine(found.path, command)}\n\n${command.description ?? found.node.summary}\n`;
  if (found.spellings.length > 1) text += `\nAliases:\n  ${found.spellings.join(', ')}\n`;
  const usages = flagUsages(command.flags, columns - 1);
  if (usages !== '') text += `\nOptions:\n${usages}`;
  return text;
}

/** What `--help` prints for a group. */
export function groupHelp(program: string, group: GroupNode): string {
  const path = `${program} ${group.name}`;
  return `Usage:  ${path} COMMAND

${group.summary}

Commands:
${listing(group.children.filter(isBuilt))}
Run '${path} COMMAND --help' for more information on a command.
`;
}

/** What `--help` prints at the top. */
export function topHelp(program: string, globalFlags: FlagSpecs, columns: number): string {
  const everyday = topCommands();
  const common = commonCommands
    .map((name) => everyday.find((node) => node.name === name))
    .filter((node) => node !== undefined);
  const others = everyday.filter((node) => !commonCommands.includes(node.name));
  const built = groups.filter((group) => group.children.some(isBuilt));
  return `Usage:  ${program} [OPTIONS] COMMAND

A container engine that speaks Docker's API

Common Commands:
${listing(common)}
Management Commands:
${listing(built)}
Commands:
${listing(others)}
Global Options:
${flagUsages(globalFlags, columns - 1)}
Run '${program} COMMAND --help' for more information on a command.
`;
}

function topCommands(): CommandNode[] {
  const short = Object.entries(shortcuts).map(([name, [group, child]]) => {
    const node = group.children.find((candidate) => candidate.name === child);
    return node ? { ...node, name } : undefined;
  });
  return [...short.filter((node) => node !== undefined), ...singles]
    .filter(isBuilt)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function listing(nodes: readonly { readonly name: string; readonly summary: string }[]): string {
  return nodes.map((node) => `  ${node.name.padEnd(11)} ${node.summary}\n`).join('');
}

/** The block of flags, names aligned and descriptions wrapped, as pflag lays it out. */
export function flagUsages(flags: FlagSpecs, columns: number): string {
  const rows = Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => [flagHead(name, flag), flagText(flag)] as const);
  const widest = Math.max(0, ...rows.map(([head]) => head.length + 1));
  return rows
    .map(([head, text]) => `${head}${' '.repeat(widest - head.length + 2)}${wrap(widest + 2, columns, text)}\n`)
    .join('');
}

function flagHead(name: string, flag: FlagSpec<unknown>): string {
  const start = flag.short === undefined ? `      --${name}` : `  -${flag.short}, --${name}`;
  return flag.type === '' ? start : `${start} ${flag.type}`;
}

function flagText(flag: FlagSpec<unknown>): string {
  return flag.defaultText === undefined ? flag.description : `${flag.description} (default ${flag.defaultText})`;
}

/** Less than this many columns for the text: it starts on its own line, indented by 16. */
const narrowest = 24;
/** A last word may stick out this far. */
const slop = 5;

function wrap(indent: number, columns: number, text: string): string {
  let left = indent;
  let width = columns - left;
  let out = '';
  if (width < narrowest) {
    left = 16;
    width = columns - left;
    out = `\n${' '.repeat(left)}`;
  }
  const margin = `\n${' '.repeat(left)}`;
  if (width < narrowest) return text.replaceAll('\n', margin);
  let [line, rest] = cutLine(width - slop, text);
  out += line.replaceAll('\n', margin);
  while (rest !== '') {
    [line, rest] = cutLine(width - slop, rest);
    out += margin + line.replaceAll('\n', margin);
  }
  return out;
}

function cutLine(width: number, text: string): [string, string] {
  if (width + slop > text.length) return [text, ''];
  const head = text.slice(0, width);
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (space <= 0) return [text, ''];
  const newline = head.lastIndexOf('\n');
  const cut = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, cut), text.slice(cut + 1)];
}
