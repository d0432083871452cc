import { compareVersions } from '#client';
import { bool, CliError, type Command, defineCommand, filter, noArgs } from '../../framework/index.ts';
import { confirm } from '../../output/prompt.ts';
import { humanSize } from '../../output/units.ts';
import { pruneFilters, pruneVolumes } from '../prune.ts';

const question = '\nAre you sure you want to continue?';
const allWarning = `WARNING! This will remove all local volumes not used by at least one container.${question}`;
const anonymousWarning = `WARNING! This will remove anonymous local volumes not used by at least one container.${question}`;
/** From this version on, only anonymous volumes go unless all are asked for. */
const anonymousOnly = '1.42';

export const command: Command = defineCommand({
  usage: '[OPTIONS]',
  args: noArgs,
  flags: {
    all: bool('Remove all unused volumes, not just anonymous ones', { short: 'a' }),
    filter: filter('Provide filter values (e.g. "label=<label>")'),
    force: bool('Do not prompt for confirmation', { short: 'f' }),
  },
  async run(ctx, { flags }) {
    const client = await ctx.client();
    const version = await client.negotiate();
    const old = compareVersions(version, anonymousOnly) < 0;
    if (flags.all && old) {
      throw new CliError(
        `"--all" requires API version ${anonymousOnly}, but the Docker daemon API version is ${version}`,
      );
    }
    const filters = pruneFilters(ctx, flags.filter);
    if (flags.all && 'all' in filters) {
      throw new CliError('conflicting options: cannot specify both --all and --filter all=1');
    }
    if (!flags.force && !confirm(ctx, flags.all || old ? allWarning : anonymousWarning)) return;
    const { text, bytes } = await pruneVolumes(ctx, filters, flags.all);
    ctx.out(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
  },
});
