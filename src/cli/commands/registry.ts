import { CliError, type Command, anyArgs, defineCommand } from '../framework/index.ts';

const launcherName = 'berth-registry';

export const command: Command = defineCommand({
  usage: 'COMMAND [OPTIONS]',
  args: anyArgs,
  interspersed: false,
  description: "Run a registry of images: serve, garbage-collect, check and more ('berth registry help' lists them)",
  async run(ctx, { args }) {
    const launcher = await findLauncher(ctx.program);
    const { spawn } = await import('node:child_process');
    const child = spawn(launcher, args[0] === 'help' ? args.slice(1) : [...args], { stdio: 'inherit' });
    // The signals of a terminal reach the child by themselves; those sent to us alone are handed on.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
    });
  },
});

/** The registry is a program of its own under Node, beside the CLI: in a clone, in the package, or in the search path. */
async function findLauncher(program: string): Promise<string> {
  const { accessSync, constants } = await import('node:fs');
  const path = await import('node:path');
  const own = path.dirname(process.execPath);
  const source = new URL('../../../bin', import.meta.url).pathname;
  const folders = [path.join(own, '..', 'bin'), own, source, ...(process.env['PATH'] ?? '').split(path.delimiter)];
  const found = folders
    .filter((folder) => folder !== '')
    .map((folder) => path.join(folder, launcherName))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  if (found === undefined) {
    throw new CliError(
      `${program}: the registry is not installed beside this program: ${launcherName} of the npm package is needed`,
    );
  }
  return found;
}
