import {
  formatPlatform,
  formatReference,
  familiarReference,
  parsePlatform,
  parseReference,
  withDefaultTag,
} from '#spec';
import { registryAuthHeader } from '../../config/registry-auth.ts';
import { bool, CliError, type Command, defineCommand, exactArgs, string } from '../../framework/index.ts';
import { showProgress } from '../../output/progress.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  args: exactArgs(1),
  flags: {
    'all-tags': bool('Download all tagged images in the repository', { short: 'a' }),
    'disable-content-trust': bool('Skip image verification', { initial: true, hidden: true }),
    platform: string('Set platform if server is multi-platform capable'),
    quiet: bool('Suppress verbose output', { short: 'q' }),
  },
  async run(ctx, { flags, args }) {
    const named = parseReference(args[0] ?? '');
    const nameOnly = named.tag === undefined && named.digest === undefined;
    if (flags['all-tags'] && !nameOnly) throw new CliError("tag can't be used with --all-tags/-a");
    const reference = flags['all-tags'] ? named : withDefaultTag(named);
    if (nameOnly && !flags['all-tags'] && !flags.quiet) ctx.out(`Using default tag: ${reference.tag ?? ''}\n`);
    const client = await ctx.client();
    const response = await client.send({
      method: 'POST',
      path: '/images/create',
      query: {
        fromImage: familiarReference({ domain: reference.domain, path: reference.path }),
        tag: reference.digest ?? reference.tag,
        platform: flags.platform === '' ? undefined : formatPlatform(parsePlatform(flags.platform)),
      },
      headers: await registryAuthHeader(ctx, reference.domain),
    });
    await showProgress(ctx, response, { quiet: flags.quiet });
    ctx.out(`${formatReference(reference)}\n`);
  },
});
