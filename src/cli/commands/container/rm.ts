import { ApiError } from '#client';
import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { describeError } from '../../framework/describe-error.ts';
import { forEachArg } from '../../framework/each.ts';
import { CliError } from '../../framework/errors.ts';
import { bool } from '../../framework/flags.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags: {
    force: bool('Remove a running container too (uses SIGKILL)', { short: 'f' }),
    link: bool('Remove the link of this name', { short: 'l' }),
    volumes: bool('Remove its anonymous volumes with it', { short: 'v' }),
  },
  async run(ctx, line) {
    const on = (flag: boolean): string | undefined => (flag ? '1' : undefined);
    const { force, link, volumes } = line.flags;
    const query = { v: on(volumes), link: on(link), force: on(force) };
    const client = await ctx.client();
    const work = async (arg: string): Promise<string | undefined> => {
      const name = arg.replace(/^\/+|\/+$/g, '');
      if (name === '') throw new CliError('container name cannot be empty');
      try {
        await client.delete(`/containers/${encodeURIComponent(name)}`, query);
        return arg;
      } catch (error) {
        const gone = error instanceof ApiError && error.status === 404;
        if (!force || !gone) throw error;
        ctx.err(`${describeError(error, ctx.program)}\n`);
        return undefined;
      }
    };
    await forEachArg(ctx, line.args, work, true);
  },
});
