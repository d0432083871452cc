import type { HistoryEntry } from '#spec';
import { bool, type Command, defineCommand, exactArgs, string } from '../../framework/index.ts';
import { platformQuery } from '../../framework/platform-query.ts';
import { formatHelp } from '../../output/format-help.ts';
import { type ListRow, type ListShape, printList } from '../../output/list.ts';
import { ellipsis, shortId } from '../../output/text.ts';
import { localRfc3339 } from '../../output/time.ts';
import { humanSince, humanSize } from '../../output/units.ts';
import { pathName } from '../inspect-fetchers.ts';

const shape: ListShape = {
  typeName: '*image.historyContext',
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
  columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
};

const createdByWidth = 45;
/** Builders that want the same image each time set times before this one; they say nothing. */
const year2000 = Date.UTC(2000, 0, 1) / 1000;

function historyRow(entry: HistoryEntry, human: boolean, truncate: boolean): ListRow {
  const createdBy = entry.CreatedBy.replaceAll('\t', ' ');
  const createdAt = (): string => localRfc3339(entry.Created);
  return {
    columns: {
      ID: () => (truncate ? shortId(entry.Id) : entry.Id),
      CreatedAt: createdAt,
      CreatedSince: () => (!human ? createdAt() : entry.Created <= year2000 ? 'N/A' : humanSince(entry.Created)),
      CreatedBy: () => (truncate ? ellipsis(createdBy, createdByWidth) : createdBy),
      Size: () => (human ? humanSize(entry.Size, 3) : String(entry.Size)),
      Comment: () => entry.Comment,
    },
  };
}

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE',
  args: exactArgs(1),
  flags: {
    format: string(formatHelp),
    human: bool('Print sizes and dates in human readable format', { short: 'H', initial: true }),
    'no-trunc': bool("Don't truncate output"),
    platform: string('Show the history of a platform of a multi-platform image'),
    quiet: bool('Only show image IDs', { short: 'q' }),
  },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    const entries = await client.get<HistoryEntry[]>(
      `/images/${pathName(args[0] ?? '')}/history`,
      platformQuery(flags.platform),
    );
    const rows = entries.map((entry) => historyRow(entry, flags.human, !flags['no-trunc']));
    if (flags.quiet && (flags.format === '' || flags.format === 'table')) {
      ctx.out(rows.map(({ columns }) => `${String(columns['ID']?.())}\n`).join(''));
      return;
    }
    const created = flags.human ? 'CreatedSince' : 'CreatedAt';
    const columns = ['ID', created, 'CreatedBy', 'Size', 'Comment'];
    await printList(ctx, { ...shape, columns }, flags.format, rows);
  },
});
