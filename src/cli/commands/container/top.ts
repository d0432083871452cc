import type { TopResponse } from '#spec';
import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { alignTabs } from '../../output/tabwriter.ts';

export const command: Command = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  args: minArgs(1),
  interspersed: false,
  async run(ctx, line) {
    const [name = '', ...options] = line.args;
    const client = await ctx.client();
    const query = options.length > 0 ? { ps_args: options.join(' ') } : {};
    const { Titles, Processes } = await client.get<TopResponse>(`/containers/${encodeURIComponent(name)}/top`, query);
    const lines = [Titles, ...(Processes ?? [])].map((cells) => `${cells.join('\t')}\n`);
    ctx.out(alignTabs(lines.join(''), { minWidth: 20, padding: 3 }));
  },
});
