import { bool, type Command, defineCommand, minArgs, string } from '../../framework/index.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { inspectAll } from '../../output/inspect.ts';
import { fetchInspected } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: minArgs(1),
  flags: {
    format: string(inspectFormatHelp, { short: 'f' }),
    size: bool('Display total file sizes', { short: 's' }),
  },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    const query = { size: flags.size || undefined };
    await inspectAll(ctx, args, flags.format, (name) => fetchInspected(client, 'container', name, query));
  },
});
