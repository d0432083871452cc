import { type Command, defineCommand, minArgs, string } from '../../framework/index.ts';
import { platformQuery } from '../../framework/platform-query.ts';
import { inspectFormatHelp } from '../../output/format-help.ts';
import { inspectAll } from '../../output/inspect.ts';
import { fetchInspected } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: minArgs(1),
  flags: {
    format: string(inspectFormatHelp, { short: 'f' }),
    platform: string('Inspect a specific platform of the multi-platform image'),
  },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    const query = platformQuery(flags.platform);
    await inspectAll(ctx, args, flags.format, (name) => fetchInspected(client, 'image', name, query));
  },
});
