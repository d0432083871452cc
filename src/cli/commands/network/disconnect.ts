import { bool, type Command, defineCommand, exactArgs } from '../../framework/index.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  args: exactArgs(2),
  flags: { force: bool('Force the container to disconnect from a network', { short: 'f' }) },
  async run(ctx, { flags, args }) {
    const [network = '', container = ''] = args;
    const client = await ctx.client();
    await client.post(`/networks/${pathName(network)}/disconnect`, undefined, {
      json: { Container: container, Force: flags.force },
    });
  },
});
