import { encodeFilters } from '#client';
import type { PruneBuildCacheResponse } from '#spec';
import { bool, bytes, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { humanSize } from '../../output/units.ts';

export const command: Command = defineCommand({
  usage: '',
  args: noArgs,
  flags: {
    all: bool('Remove all unused build cache, not just dangling ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "until=24h")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
    'keep-storage': bytes('Amount of disk space to keep for cache'),
  },
  async run(ctx, { flags }) {
    const what = flags.all ? 'all build cache' : 'all dangling build cache';
    const question = `WARNING! This will remove ${what}. Are you sure you want to continue?`;
    if (!flags.force && !confirm(ctx, question)) return;
    const client = await ctx.client();
    const query = { all: flags.all, filters: encodeFilters(flags.filter), 'keep-storage': flags['keep-storage'] };
    const { CachesDeleted, SpaceReclaimed } = await client.post<PruneBuildCacheResponse>('/build/prune', query);
    const ids = CachesDeleted ?? [];
    if (ids.length > 0) ctx.out(`Deleted build cache objects:\n${ids.map((id) => `${id}\n`).join('')}\n`);
    ctx.out(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
  },
});
