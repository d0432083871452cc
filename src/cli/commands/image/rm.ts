import { ApiError } from '#client';
import { type DeleteResponseItem, parsePlatform } from '#spec';
import { bool, CliError, type Command, defineCommand, describeError, list, minArgs } from '../../framework/index.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: minArgs(1),
  flags: {
    force: bool('Force removal of the image', { short: 'f' }),
    'no-prune': bool('Do not delete untagged parents'),
    platform: list('Remove only the given platform variant'),
  },
  async run(ctx, { flags, args }) {
    const client = await ctx.client();
    const failures: string[] = [];
    let fatal = false;
    for (const name of args) {
      try {
        const items = await client.delete<DeleteResponseItem[]>(`/images/${pathName(name)}`, {
          force: flags.force || undefined,
          noprune: flags['no-prune'] || undefined,
          platforms: flags.platform.map((text) => JSON.stringify(parsePlatform(text))),
        });
        for (const { Deleted, Untagged = '' } of items ?? []) {
          ctx.out(Deleted === undefined ? `Untagged: ${Untagged}\n` : `Deleted: ${Deleted}\n`);
        }
      } catch (error) {
        fatal ||= !(error instanceof ApiError && error.status === 404);
        failures.push(describeError(error, ctx.program));
      }
    }
    if (failures.length === 0) return;
    if (!flags.force || fatal) throw new CliError(failures.join('\n'));
    ctx.err(`${failures.join('\n')}\n`);
  },
});
