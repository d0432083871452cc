import { parseCommandLine, usageError } from './command-line.ts';

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<{ run(args: readonly string[]): Promise<number> }>;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  serve: { summary: 'Run a registry', load: () => import('./serve.ts') },
  'garbage-collect': {
    summary: 'Remove what no manifest needs, also while the registry runs',
    load: () => import('./garbage-collect.ts'),
  },
  check: { summary: 'Compare database, files and manifests', load: () => import('./check.ts') },
  ping: { summary: 'Ask whether a registry answers', load: () => import('./ping.ts') },
  htpasswd: { summary: 'Add, change or remove a user in a password file', load: () => import('./htpasswd.ts') },
  'token-certificate': {
    summary: 'Make a key for tokens and its certificate, for registries that trust our tokens',
    load: () => import('./token-certificate.ts'),
  },
};

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length)) + 3;
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}\n`);
  return `\nUsage:  berth registry COMMAND\n\nRun a registry of images\n\nCommands:\n${rows.join('')}\nRun 'berth registry COMMAND --help' for more information on a command.\n`;
}

/** Runs `berth registry …` and answers its exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name.startsWith('-')) {
    parseCommandLine(args, { values: [], switches: [] });
    process.stdout.write(usage());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw usageError(`'${name}' is not a command of berth registry`);
  return await (await command.load()).run(rest);
}
