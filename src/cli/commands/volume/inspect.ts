import { type Command, defineCommand, minArgs, string } from '../../framework/index.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { inspectAll } from '../../output/inspect.ts';
import { fetchInspected } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: minArgs(1),
  flags: {
    format: string(inspectFormatHelp, { short: 'f' }),
  },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    const query = {};
    await inspectAll(ctx, args, flags.format, (name) => fetchInspected(client, 'volume', name, query));
  },
});
