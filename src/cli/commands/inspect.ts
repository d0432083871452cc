import { ApiError } from '#client';
import { bool, CliError, type Command, defineCommand, minArgs, string } from '../framework/index.ts';
import { inspectFormatHelp } from '../output/format-help.ts';
import { inspectAll, type Inspected } from '../output/inspect.ts';
import { fetchInspected, type InspectKind } from './inspect-fetchers.ts';

/** Kinds by name, as `--type` lists them. */
const types: readonly InspectKind[] = [
  'config',
  'container',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'task',
  'volume',
];
/** Kinds tried in turn without `--type`. Swarm's are left out: this engine has none yet. */
const autodetected: readonly InspectKind[] = ['container', 'image', 'network', 'volume', 'plugin'];

export const command: Command = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  args: minArgs(1),
  flags: {
    format: string(inspectFormatHelp, { short: 'f' }),
    size: bool('Display total file sizes if the type is container', { short: 's' }),
    type: string('Only inspect objects of the given type'),
  },
  async run(ctx, { flags, args, given }) {
    const list = `"${types.join('", "')}"`;
    if (given('type') && flags.type === '') throw new CliError(`type is empty: must be one of ${list}`);
    const wanted = types.find((type) => type === flags.type);
    if (flags.type !== '' && !wanted) {
      throw new CliError(`unknown type: ${JSON.stringify(flags.type)}: must be one of ${list}`);
    }
    const client = await ctx.client();
    const fetch = async (name: string): Promise<Inspected> => {
      for (const kind of wanted ? [wanted] : autodetected) {
        try {
          const found = await fetchInspected(client, kind, name, sizeQuery(kind, flags.size));
          if (flags.size && kind !== 'container') ctx.err(`WARNING: --size ignored for ${kind}\n`);
          return found;
        } catch (error) {
          if (wanted || !isElsewhere(error)) throw error;
        }
      }
      throw new CliError(`Error: No such object: ${name}`);
    };
    await inspectAll(ctx, args, flags.format, fetch);
  },
});

function sizeQuery(kind: InspectKind, size: boolean): { size?: boolean } {
  return kind === 'container' && size ? { size: true } : {};
}

/** The daemon has no such object of this kind, or cannot know of any. */
function isElsewhere(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status === 404 || error.status === 501 || /not supported|invalid reference format/.test(error.message);
}
