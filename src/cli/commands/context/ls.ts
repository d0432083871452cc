import { contextStore, defaultContext } from '../../config/contexts.ts';
import type { ContextMeta } from '../../config/context-store.ts';
import { currentContextName } from '../../config/current-context.ts';
import { bool, type Command, defineCommand, noArgs, string } from '../../framework/index.ts';
import { formatHelp } from '../../output/format-help.ts';
import { type ListRow, type ListShape, printList } from '../../output/list.ts';
import { ellipsis } from '../../output/text.ts';

const shape: ListShape = {
  typeName: '*formatter.clientContextContext',
  headers: { Name: 'NAME', Description: 'DESCRIPTION', DockerEndpoint: 'DOCKER ENDPOINT', Error: 'ERROR' },
  columns: ['ShownName', 'Description', 'DockerEndpoint', 'Error'],
};
const errorWidth = 45;
const byName = new Intl.Collator('en', { numeric: true });

interface ListedContext {
  readonly name: string;
  readonly description: string;
  readonly host: string;
  readonly error: string;
}

function listed({ Name, Metadata, Endpoints }: ContextMeta): ListedContext {
  return { name: Name, description: Metadata.Description ?? '', host: Endpoints['docker']?.Host ?? '', error: '' };
}

function contextRow(context: ListedContext, current: string): ListRow {
  return {
    columns: {
      Current: () => context.name === current,
      Name: () => context.name,
      Description: () => context.description,
      DockerEndpoint: () => context.host,
      Error: () => ellipsis(context.error, errorWidth),
    },
  };
}

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    format: string(formatHelp),
    quiet: bool('Only show context names', { short: 'q' }),
  },
  async run(ctx, { flags }) {
    const current = currentContextName(ctx);
    const contexts = [
      { ...listed(defaultContext(ctx)), description: 'Current DOCKER_HOST based configuration' },
      ...contextStore(ctx).list().map(listed),
    ];
    if (!contexts.some(({ name }) => name === current)) {
      contexts.push({ name: current, description: '', host: '', error: missing(() => contextStore(ctx).get(current)) });
    }
    contexts.sort((a, b) => byName.compare(a.name, b.name));
    const plain = flags.format === '' || flags.format === 'table';
    if (flags.quiet && plain) ctx.out(contexts.map(({ name }) => `${name}\n`).join(''));
    else {
      const rows = contexts.map((context) => contextRow(context, current));
      await printList(
        ctx,
        { ...shape, headers: { ...shape.headers, ShownName: 'NAME' } },
        flags.format,
        plain ? rows.map(withMark) : rows,
      );
    }
    if (!ctx.env['DOCKER_HOST']) return;
    ctx.err(
      'Warning: DOCKER_HOST environment variable overrides the active context. ' +
        'To use a context, either set the global --context flag, or unset DOCKER_HOST environment variable.\n',
    );
  },
});

/** The plain table marks the current context with a star. */
function withMark(row: ListRow): ListRow {
  const { Current, Name } = row.columns;
  const ShownName = (): string => `${String(Name?.())}${Current?.() === true ? ' *' : ''}`;
  return { ...row, columns: { ...row.columns, ShownName } };
}

function missing(lookUp: () => unknown): string {
  try {
    lookUp();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
