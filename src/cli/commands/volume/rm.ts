import { bool, type Command, defineCommand, forEachArg, minArgs } from '../../framework/index.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: minArgs(1),
  description: 'Remove one or more volumes. A volume that a container uses cannot be removed.',
  flags: { force: bool('Force the removal of one or more volumes', { short: 'f' }) },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    await forEachArg(ctx, args, async (name) => {
      await client.delete(`/volumes/${pathName(name)}`, { force: flags.force || undefined });
      return name;
    });
  },
});
