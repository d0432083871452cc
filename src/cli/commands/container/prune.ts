import { bool, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { humanSize } from '../../output/units.ts';
import { pruneContainers, pruneFilters } from '../prune.ts';

const warning = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    filter: filter('Provide filter values (e.g. "until=<timestamp>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(ctx, { flags }) {
    if (!flags.force && !confirm(ctx, warning)) return;
    const { text, bytes } = await pruneContainers(ctx, pruneFilters(ctx, flags.filter));
    ctx.out(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
  },
});
