import { CliError, type Command, defineCommand, exactArgs } from '../../framework/index.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  args: exactArgs(2),
  async run(ctx, { args }) {
    const [source = '', target = ''] = args;
    const { familiarName, parseReference, withDefaultTag } = await import('#spec');
    const reference = withDefaultTag(parseTarget(target, parseReference));
    if (reference.digest !== undefined) throw new CliError('refusing to create a tag with a digest reference');
    const client = await ctx.client();
    await client.post(`/images/${pathName(source)}/tag`, {
      repo: familiarName(reference),
      tag: reference.tag,
    });
  },
});

function parseTarget<T>(target: string, parse: (text: string) => T): T {
  try {
    return parse(target);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${why}`);
  }
}
