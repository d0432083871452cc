import { encodeFilters } from '#client';
import type { ContainerSummary } from '#spec';
import { bool, CliError, type Command, defineCommand, filter, int, noArgs, string } from '../../framework/index.ts';
import { containerRow, containerShape } from '../../output/container-rows.ts';
import { formatHelp } from '../../output/format-help.ts';
import { printList } from '../../output/list.ts';

const rawTemplate = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    all: bool('Show all containers, not only running ones', { short: 'a' }),
    filter: filter(undefined, { short: 'f' }),
    format: string(formatHelp),
    last: int('Show n last created containers (includes all states)', { short: 'n', initial: -1 }),
    latest: bool('Show the latest created container (includes all states)', { short: 'l' }),
    'no-trunc': bool("Don't truncate output"),
    quiet: bool('Only display container IDs', { short: 'q' }),
    size: bool('Display total file sizes', { short: 's' }),
  },
  async run(ctx, { flags, given }) {
    const format = flags.format || (ctx.config.psFormat ?? '');
    if (flags.format !== '' && flags.quiet) {
      ctx.err('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
    }
    const usesSize = format !== '' && format !== 'table' ? await checkTemplate(format) : false;
    const size = flags.size || (usesSize && !flags.quiet && !given('size'));
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last;
    const client = await ctx.client();
    const containers = await client.get<ContainerSummary[]>('/containers/json', {
      all: flags.all || undefined,
      limit: limit > 0 ? limit : undefined,
      size: size || undefined,
      filters: encodeFilters(flags.filter),
    });
    const truncate = !flags['no-trunc'];
    const rows = containers.map((container) => containerRow(container, truncate));
    if (flags.quiet) {
      ctx.out(rows.map(({ columns }) => `${String(columns['ID']?.())}\n`).join(''));
      return;
    }
    const columns = size ? [...containerShape.columns, 'Size'] : containerShape.columns;
    const raw = size ? `${rawTemplate}size: {{.Size}}\n` : rawTemplate;
    await printList(ctx, { ...containerShape, columns, raw }, format, rows);
  },
});

/** Refuses a template that cannot work before anything is asked; tells whether it shows sizes, which cost the daemon. */
async function checkTemplate(format: string): Promise<boolean> {
  const { executeTemplate, GoRow, parseTemplate, standardFunctions } = await import('../../templates/index.ts');
  const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
  const parse = (): ReturnType<typeof parseTemplate> => {
    try {
      return parseTemplate(format, new Set(standardFunctions.keys()));
    } catch (error) {
      throw new CliError(`failed to parse template: ${message(error)}`);
    }
  };
  const template = parse();
  let usesSize = false;
  const names = Object.keys(containerShape.headers).filter((name) => name !== 'Size');
  const columns = Object.fromEntries(names.map((name) => [name, () => '']));
  const size = (): string => {
    usesSize = true;
    return '';
  };
  const row = new GoRow(containerShape.typeName, { ...columns, Size: size }, { Label: () => '' });
  try {
    executeTemplate(template, row, { functions: standardFunctions });
  } catch (error) {
    throw new CliError(`failed to execute template: ${message(error)}`);
  }
  return usesSize;
}
