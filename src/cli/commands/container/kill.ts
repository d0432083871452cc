import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { forEachArg } from '../../framework/each.ts';
import { string } from '../../framework/flags.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags: { signal: string('Signal to send to the container', { short: 's' }) },
  async run(ctx, line) {
    const query = { signal: line.flags.signal === '' ? undefined : line.flags.signal };
    const client = await ctx.client();
    const work = async (name: string): Promise<string> => {
      await client.post(`/containers/${encodeURIComponent(name)}/kill`, query);
      return name;
    };
    await forEachArg(ctx, line.args, work, true);
  },
});
