import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { describeError } from '../../framework/describe-error.ts';
import { CliError } from '../../framework/errors.ts';

export const command: Command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  args: exactArgs(2),
  async run(ctx, line) {
    const [from = '', to = ''] = line.args.map((name) => name.trim());
    if (from === '' || to === '') throw new CliError('Error: Neither old nor new names may be empty');
    const client = await ctx.client();
    try {
      await client.post(`/containers/${encodeURIComponent(from)}/rename`, { name: to });
    } catch (error) {
      ctx.err(`${describeError(error, ctx.program)}\n`);
      throw new CliError(`Error: failed to rename container named ${from}`, 1, { cause: error });
    }
  },
});
