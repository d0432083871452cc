import type { WaitResponse } from '#spec';
import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { forEachArg } from '../../framework/each.ts';

export const command: Command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  args: minArgs(1),
  async run(ctx, line) {
    const client = await ctx.client();
    await forEachArg(ctx, line.args, async (name) => {
      const result = await client.post<WaitResponse>(`/containers/${encodeURIComponent(name)}/wait`);
      return String(result.StatusCode);
    });
  },
});
