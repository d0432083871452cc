import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { forEachArg } from '../../framework/each.ts';

export const command: Command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  args: minArgs(1),
  async run(ctx, line) {
    const client = await ctx.client();
    const work = async (name: string): Promise<string> => {
      await client.post(`/containers/${encodeURIComponent(name)}/unpause`);
      return name;
    };
    await forEachArg(ctx, line.args, work, true);
  },
});
