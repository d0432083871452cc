import { bool, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { pruneFilters, pruneNetworks } from '../prune.ts';

const warning =
  'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    filter: filter('Provide filter values (e.g. "until=<timestamp>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(ctx, { flags }) {
    if (!flags.force && !confirm(ctx, warning)) return;
    const { text } = await pruneNetworks(ctx, pruneFilters(ctx, flags.filter));
    if (text !== '') ctx.out(`${text}\n`);
  },
});
