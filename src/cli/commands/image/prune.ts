import { bool, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { humanSize } from '../../output/units.ts';
import { pruneFilters, pruneImages } from '../prune.ts';

const question = '\nAre you sure you want to continue?';
const allWarning = `WARNING! This will remove all images without at least one container associated to them.${question}`;
const danglingWarning = `WARNING! This will remove all dangling images.${question}`;

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    all: bool('Remove all unused images, not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "until=<timestamp>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(ctx, { flags }) {
    if (!flags.force && !confirm(ctx, flags.all ? allWarning : danglingWarning)) return;
    const { text, bytes } = await pruneImages(ctx, pruneFilters(ctx, flags.filter), flags.all);
    ctx.out(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
  },
});
