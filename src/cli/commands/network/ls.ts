import { encodeFilters } from '#client';
import type { NetworkInspect } from '#spec';
import { bool, type Command, defineCommand, filter, noArgs, string } from '../../framework/index.ts';
import { formatHelp } from '../../output/format-help.ts';
import { type ListRow, type ListShape, printList } from '../../output/list.ts';
import { joinLabels, shortId } from '../../output/text.ts';
import { goTimeTextOf } from '../../output/time.ts';

const shape: ListShape = {
  typeName: '*network.networkContext',
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
  columns: ['ID', 'Name', 'Driver', 'Scope'],
};
const rawTemplate = 'network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n';

function networkRow(network: NetworkInspect, truncate: boolean): ListRow {
  return {
    columns: {
      ID: () => (truncate ? shortId(network.Id) : network.Id),
      Name: () => network.Name,
      Driver: () => network.Driver,
      Scope: () => network.Scope,
      IPv4: () => String(network.EnableIPv4 ?? false),
      IPv6: () => String(network.EnableIPv6),
      Internal: () => String(network.Internal),
      Labels: () => joinLabels(network.Labels),
      CreatedAt: () => goTimeTextOf(network.Created),
    },
    methods: { Label: (name) => network.Labels?.[name] ?? '' },
  };
}

/** Names with numbers inside in the order people expect: `net2` before `net10`. */
const byName = new Intl.Collator('en', { numeric: true });

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    filter: filter('Provide filter values (e.g. "driver=bridge")', { short: 'f' }),
    format: string(formatHelp),
    'no-trunc': bool('Do not truncate the output'),
    quiet: bool('Only display network IDs', { short: 'q' }),
  },
  async run(ctx, { flags }) {
    const client = await ctx.client();
    const networks = await client.get<NetworkInspect[]>('/networks', { filters: encodeFilters(flags.filter) });
    const format = flags.format || (flags.quiet ? '' : (ctx.config.networksFormat ?? ''));
    const rows = networks
      .toSorted((a, b) => byName.compare(a.Name, b.Name))
      .map((network) => networkRow(network, !flags['no-trunc']));
    if (flags.quiet && (format === '' || format === 'table')) {
      ctx.out(rows.map(({ columns }) => `${String(columns['ID']?.())}\n`).join(''));
      return;
    }
    await printList(ctx, { ...shape, raw: flags.quiet ? 'network_id: {{.ID}}' : rawTemplate }, format, rows);
  },
});
