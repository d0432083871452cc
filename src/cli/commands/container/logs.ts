import type { ContainerInspect } from '#spec';
import { type Command, defineCommand, exactArgs } from '../../framework/command.ts';
import { bool, string } from '../../framework/flags.ts';
import { parseTimestamp } from '../../run-options/timestamp.ts';
import { copyFramed } from '../../terminal/session.ts';
import { writeToFd } from '../../terminal/fd-writer.ts';

const flags = {
  details: bool('Show the extra details given to logs'),
  follow: bool('Go on with new output', { short: 'f' }),
  since: string('Show logs since a time (e.g. "2013-01-02T13:23:37Z") or for a while (e.g. "42m" for 42 minutes)'),
  tail: string('Number of lines to show from the end', { short: 'n', initial: 'all' }),
  timestamps: bool('Show when each line was written', { short: 't' }),
  until: string('Show logs before a time (e.g. "2013-01-02T13:23:37Z") or up to a while ago (e.g. "42m")'),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  args: exactArgs(1),
  flags,
  async run(ctx, line) {
    const { since, until, follow, timestamps, details, tail } = line.flags;
    const [name = ''] = line.args;
    const client = await ctx.client();
    const container = await client.get<ContainerInspect>(`/containers/${encodeURIComponent(name)}/json`);
    const on = (flag: boolean): string | undefined => (flag ? '1' : undefined);
    const now = Date.now();
    const response = await client.send({
      method: 'GET',
      path: `/containers/${container.Id}/logs`,
      query: {
        stdout: '1',
        stderr: '1',
        since: since === '' ? undefined : parseTimestamp('since', since, now),
        until: until === '' ? undefined : parseTimestamp('until', until, now),
        timestamps: on(timestamps),
        details: on(details),
        follow: on(follow),
        tail,
      },
    });
    if (!container.Config.Tty) return copyFramed(response);
    for await (const chunk of response) await writeToFd(1, [chunk]);
  },
});
