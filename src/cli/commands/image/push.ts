import { familiarName, formatReference, parseReference, withDefaultTag } from '#spec';
import { registryAuthHeader } from '../../config/registry-auth.ts';
import { bool, CliError, type Command, defineCommand, exactArgs, string } from '../../framework/index.ts';
import { platformQuery } from '../../framework/platform-query.ts';
import { showProgress } from '../../output/progress.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  args: exactArgs(1),
  flags: {
    'all-tags': bool('Push all tags of an image to the repository', { short: 'a' }),
    'disable-content-trust': bool('Skip image signing', { initial: true, hidden: true }),
    platform: string('Push one platform of a multi-platform image as a single-platform image'),
    quiet: bool('Suppress verbose output', { short: 'q' }),
  },
  async run(ctx, { flags, args }) {
    const named = parseReference(args[0] ?? '');
    if (flags['all-tags'] && named.tag !== undefined) throw new CliError("tag can't be used with --all-tags/-a");
    const reference = flags['all-tags'] ? named : withDefaultTag(named);
    if (named.tag === undefined && !flags['all-tags'] && !flags.quiet) {
      ctx.out(`Using default tag: ${reference.tag ?? ''}\n`);
    }
    const client = await ctx.client();
    const response = await client.send({
      method: 'POST',
      path: `/images/${pathName(familiarName(reference))}/push`,
      query: { tag: reference.tag, ...platformQuery(flags.platform) },
      headers: await registryAuthHeader(ctx, reference.domain),
    });
    await showProgress(ctx, response, { quiet: flags.quiet });
    if (flags.quiet) ctx.out(`${formatReference(reference)}\n`);
  },
});
