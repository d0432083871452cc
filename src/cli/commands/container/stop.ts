import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { forEachArg } from '../../framework/each.ts';
import { stopFlags, stopQuery } from './stop-flags.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags: stopFlags,
  async run(ctx, line) {
    const query = stopQuery(ctx, line.flags, line.given);
    const client = await ctx.client();
    const work = async (name: string): Promise<string> => {
      await client.post(`/containers/${encodeURIComponent(name)}/stop`, query);
      return name;
    };
    await forEachArg(ctx, line.args, work, true);
  },
});
