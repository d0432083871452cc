import { ApiError } from '#client';
import { bool, CliError, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { humanSize } from '../../output/units.ts';
import {
  pruneBuildCache,
  pruneContainers,
  type Pruned,
  pruneFilters,
  pruneImages,
  pruneNetworks,
  pruneVolumes,
} from '../prune.ts';

/** Filters the question names; others are sent all the same. */
const namedFilters = ['label', 'label!', 'until'];

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    all: bool('Remove all unused images, not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "label=<key>=<value>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
    volumes: bool('Prune anonymous volumes'),
  },
  async run(ctx, { flags }) {
    const filters = pruneFilters(ctx, flags.filter);
    if (flags.volumes && 'until' in filters) {
      throw new CliError('ERROR: The "until" filter is not supported with "--volumes"');
    }
    if (!flags.force && !confirm(ctx, questionText(flags.all, flags.volumes, filters))) return;
    let total = 0;
    const show = ({ text, bytes }: Pruned): void => {
      total += bytes;
      if (text !== '') ctx.out(`${text}\n`);
    };
    show(await orNothing(pruneContainers(ctx, filters)));
    show(await orNothing(pruneNetworks(ctx, filters)));
    if (flags.volumes) show(await orNothing(pruneVolumes(ctx, filters, false)));
    show(await orNothing(pruneImages(ctx, filters, flags.all)));
    // Its records have no labels to be chosen by.
    if (!('label' in filters)) show(await orNothing(pruneBuildCache(ctx, filters, flags.all)));
    ctx.out(`Total reclaimed space: ${humanSize(total)}\n`);
  },
});

/** A kind the daemon does not know has nothing to prune. */
async function orNothing(pruning: Promise<Pruned>): Promise<Pruned> {
  try {
    return await pruning;
  } catch (error) {
    if (error instanceof ApiError && error.status === 501) return { text: '', bytes: 0 };
    throw error;
  }
}

function questionText(all: boolean, volumes: boolean, filters: Readonly<Record<string, readonly string[]>>): string {
  const goners = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const chosen = namedFilters.flatMap((name) => (filters[name] ?? []).map((value) => `${name}=${value}`)).sort();
  const bullets = (items: readonly string[]): string => items.map((item) => `\n  - ${item}`).join('');
  const filtered = chosen.length === 0 ? '' : `\n  Items to be pruned will be filtered with:${bullets(chosen)}\n`;
  return `WARNING! This will remove:${bullets(goners)}\n${filtered}\nAre you sure you want to continue?`;
}
