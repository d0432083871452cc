import type { ContainerInspect } from '#spec';
import type { CliContext } from '../../context.ts';
import { type Command, type CommandLine, defineCommand, minArgs } from '../../framework/command.ts';
import { describeError } from '../../framework/describe-error.ts';
import { CliError } from '../../framework/errors.ts';
import { bool, string } from '../../framework/flags.ts';
import { proxySignals } from '../../terminal/signals.ts';
import { chosenDetachKeys } from './attach-stream.ts';
import { startAttached } from './start-attached.ts';

const flags = {
  attach: bool('Attach STDOUT and STDERR and pass signals on', { short: 'a' }),
  checkpoint: string('Restore from this checkpoint', { hidden: true }),
  'checkpoint-dir': string('Where checkpoints are stored', { hidden: true }),
  'detach-keys': string('Keys that detach from the container'),
  interactive: bool("Attach the container's STDIN", { short: 'i' }),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags,
  async run(ctx, line) {
    if (line.flags.attach || line.flags.interactive) return attachAndStart(ctx, line);
    const { checkpoint } = line.flags;
    const query = {
      checkpoint: checkpoint === '' ? undefined : checkpoint,
      'checkpoint-dir': line.flags['checkpoint-dir'] === '' ? undefined : line.flags['checkpoint-dir'],
    };
    if (checkpoint !== '' && line.args.length > 1) {
      throw new CliError('you cannot restore multiple containers at once');
    }
    const client = await ctx.client();
    const failed: string[] = [];
    for (const name of line.args) {
      try {
        await client.post(`/containers/${encodeURIComponent(name)}/start`, query);
        ctx.out(`${name}\n`);
      } catch (error) {
        ctx.err(`${describeError(error, ctx.program)}\n`);
        failed.push(name);
      }
    }
    if (failed.length > 0) throw new CliError(`Error: failed to start containers: ${failed.join(', ')}`);
    return 0;
  },
});

async function attachAndStart(ctx: CliContext, line: CommandLine<typeof flags>): Promise<number> {
  const [name = ''] = line.args;
  if (line.args.length > 1) throw new CliError('you cannot start and attach multiple containers at once');
  const client = await ctx.client();
  const container = await client.get<ContainerInspect>(`/containers/${encodeURIComponent(name)}/json`);
  const { Tty: tty, OpenStdin } = container.Config;
  const stopProxy = tty ? () => undefined : proxySignals(ctx.io, client, container.Id);
  try {
    return await startAttached(ctx, client, {
      id: container.Id,
      stdin: line.flags.interactive && OpenStdin,
      stdout: true,
      stderr: true,
      tty,
      detachKeys: chosenDetachKeys(ctx, line.flags['detach-keys']),
      removed: container.HostConfig.AutoRemove,
      startFailure: (error) => error,
      startQuery: line.flags.checkpoint === '' ? {} : { checkpoint: line.flags.checkpoint },
    });
  } finally {
    stopProxy();
  }
}
