import { encodeFilters, type Query } from '#client';
import type { ImageSummary } from '#spec';
import type { CliContext } from '../../context.ts';
import { bool, CliError, type Command, defineCommand, filter, maxArgs, string } from '../../framework/index.ts';
import { formatHelp } from '../../output/format-help.ts';
import { imageNames, imageRow, imageShape } from '../../output/image-rows.ts';
import { imageTree } from '../../output/image-tree.ts';
import { printList } from '../../output/list.ts';

const rawTemplate = `repository: {{ .Repository }}
tag: {{.Tag}}
image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`;
const rawDigestTemplate = rawTemplate.replace('image_id', 'digest: {{.Digest}}\nimage_id');
const subcommands = 'build history import inspect list load ls prune pull push rm save tag'.split(' ');

function refuseWithTree(given: Readonly<Record<string, boolean>>): void {
  const flag = Object.keys(given).find((key) => given[key] === true);
  if (flag !== undefined) throw new CliError(`--${flag} is not yet supported with --tree`);
}

async function printTree(ctx: CliContext, query: Query): Promise<void> {
  const client = await ctx.client();
  const images = await client.get<ImageSummary[]>('/images/json', { ...query, manifests: true });
  const bold = (text: string): string => (ctx.io.isTerminal('stdout') ? `\u001b[1m${text}\u001b[0m` : text);
  ctx.out(imageTree(images, ctx.io.columns(), bold));
}

export const command: Command = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  args: maxArgs(1),
  flags: {
    all: bool('Show also intermediate images', { short: 'a' }),
    digests: bool('Show digests'),
    filter: filter(undefined, { short: 'f' }),
    format: string(formatHelp),
    'no-trunc': bool("Don't truncate output"),
    quiet: bool('Only show image IDs', { short: 'q' }),
    tree: bool('List multi-platform images as a tree (EXPERIMENTAL)'),
  },
  async run(ctx, { flags, args }) {
    const name = args[0];
    const filters =
      name === undefined ? flags.filter : { ...flags.filter, reference: [...(flags.filter['reference'] ?? []), name] };
    if (flags.tree) {
      refuseWithTree({
        quiet: flags.quiet,
        'no-trunc': flags['no-trunc'],
        'show-digest': flags.digests,
        format: flags.format !== '',
      });
      await printTree(ctx, { all: flags.all || undefined, filters: encodeFilters(filters) });
      return;
    }
    const client = await ctx.client();
    const images = await client.get<ImageSummary[]>('/images/json', {
      all: flags.all || undefined,
      filters: encodeFilters(filters),
    });
    const format = flags.format || (flags.quiet ? '' : (ctx.config.imagesFormat ?? ''));
    const withDigests = flags.digests || format.includes('{{.Digest}}');
    const rows = images.flatMap((image) =>
      imageNames(image, withDigests)
        .filter(({ digest }) => digest !== '' || !flags.digests)
        .map((each) => imageRow(image, each, !flags['no-trunc'])),
    );
    const raw = flags.digests ? rawDigestTemplate : rawTemplate;
    if (flags.quiet && (format === '' || format === 'table')) {
      ctx.out(rows.map(({ columns }) => `${String(columns['ID']?.())}\n`).join(''));
    } else {
      const columns = flags.digests
        ? ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size']
        : imageShape.columns;
      await printList(ctx, { ...imageShape, columns, raw: flags.quiet ? 'image_id: {{.ID}}' : raw }, format, rows);
    }
    if (images.length === 0 && name !== undefined && ctx.commandPath === `${ctx.program} images`) {
      if (!subcommands.includes(name)) return;
      ctx.err(`\nNo images found matching "${name}": did you mean "${ctx.program} image ${name}"?\n`);
    }
  },
});
