import { type Command, defineCommand, noArgs } from '../../framework/index.ts';

export const command: Command = defineCommand({
  usage: '',
  args: noArgs,
  async run(ctx) {
    const client = await ctx.client();
    await client.post('/networks/repair');
  },
});
