import { encodeFilters } from '#client';
import { registryAuthHeader } from '../config/registry-auth.ts';
import { bool, type Command, defineCommand, exactArgs, filter, int, string } from '../framework/index.ts';
import { type ListRow, type ListShape, printList } from '../output/list.ts';
import { ellipsis } from '../output/text.ts';

interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

const shape: ListShape = {
  typeName: '*registry.searchContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' },
  columns: ['Name', 'Description', 'StarCount', 'IsOfficial'],
};
const descriptionWidth = 45;

function searchRow(result: SearchResult, truncate: boolean): ListRow {
  const description = result.description.replaceAll(/[\n\r]/g, ' ');
  return {
    columns: {
      Name: () => result.name,
      Description: () => (truncate ? ellipsis(description, descriptionWidth) : description),
      StarCount: () => String(result.star_count),
      IsOfficial: () => (result.is_official ? '[OK]' : ''),
    },
  };
}

export const command: Command = defineCommand({
  usage: '[OPTIONS] TERM',
  args: exactArgs(1),
  flags: {
    filter: filter(undefined, { short: 'f' }),
    format: string('Pretty-print search using a Go template'),
    limit: int('Max number of search results'),
    'no-trunc': bool("Don't truncate output"),
  },
  async run(ctx, { flags, args }) {
    const [term = ''] = args;
    const first = term.split('/')[0] ?? '';
    const domain = term.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'docker.io';
    const client = await ctx.client();
    const results = await client.get<SearchResult[]>(
      '/images/search',
      { term, limit: flags.limit > 0 ? flags.limit : undefined, filters: encodeFilters(flags.filter) },
      { headers: await registryAuthHeader(ctx, domain) },
    );
    const rows = results.map((result) => searchRow(result, !flags['no-trunc']));
    await printList(ctx, shape, flags.format, rows);
  },
});
