import { ApiError } from '#client';
import { bool, type Command, CliError, defineCommand, describeError, minArgs } from '../../framework/index.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: 'NETWORK [NETWORK...]',
  args: minArgs(1),
  flags: { force: bool('Do not error if the network does not exist', { short: 'f' }) },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    let failed = false;
    for (const name of args) {
      try {
        await client.delete(`/networks/${pathName(name)}`);
        ctx.out(`${name}\n`);
      } catch (error) {
        if (flags.force && error instanceof ApiError && error.status === 404) continue;
        ctx.err(`${describeError(error, ctx.program)}\n`);
        failed = true;
      }
    }
    if (failed) throw new CliError('exit status 1');
  },
});
