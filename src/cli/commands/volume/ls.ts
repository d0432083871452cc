import { encodeFilters } from '#client';
import type { VolumeListResponse } from '#spec';
import { bool, type Command, defineCommand, filter, noArgs, string } from '../../framework/index.ts';
import { formatHelp } from '../../output/format-help.ts';
import { printList } from '../../output/list.ts';
import { volumeRow, volumeShape } from '../../output/volume-rows.ts';

const rawTemplate = 'name: {{.Name}}\\ndriver: {{.Driver}}\\n';
const byName = new Intl.Collator('en', { numeric: true });

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    filter: filter('Provide filter values (e.g. "dangling=true")', { short: 'f' }),
    format: string(formatHelp),
    quiet: bool('Only display volume names', { short: 'q' }),
  },
  async run(ctx, { flags }) {
    const client = await ctx.client();
    const { Volumes } = await client.get<VolumeListResponse>('/volumes', { filters: encodeFilters(flags.filter) });
    const format = flags.format || (flags.quiet ? '' : (ctx.config.volumesFormat ?? ''));
    const rows = (Volumes ?? []).toSorted((a, b) => byName.compare(a.Name, b.Name)).map(volumeRow);
    if (flags.quiet && (format === '' || format === 'table')) {
      ctx.out(rows.map(({ columns }) => `${String(columns['Name']?.())}\n`).join(''));
      return;
    }
    await printList(ctx, { ...volumeShape, raw: flags.quiet ? 'name: {{.Name}}' : rawTemplate }, format, rows);
  },
});
