import { parsePlatform } from '#spec';
import { CliError, type Command, defineCommand, list, minArgs, string } from '../../framework/index.ts';
import { saveTo } from '../../output/save-to.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: minArgs(1),
  flags: {
    output: string('Write to a file, instead of STDOUT', { short: 'o' }),
    platform: list('Save only the given platform(s)'),
  },
  async run(ctx, { flags, args }) {
    if (flags.output === '' && ctx.io.isTerminal('stdout')) {
      throw new CliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    const platforms = flags.platform.map((text) => JSON.stringify(parsePlatform(text)));
    const client = await ctx.client();
    const [only = ''] = args;
    const response = await client.send({
      method: 'GET',
      path: args.length === 1 ? `/images/${pathName(only)}/get` : '/images/get',
      query: { names: args.length === 1 ? undefined : args, platform: platforms },
    });
    await saveTo(ctx, response, flags.output);
  },
});
