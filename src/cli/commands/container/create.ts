import { type Command, defineCommand, minArgs } from '../../framework/command.ts';
import { string } from '../../framework/flags.ts';
import { parseContainerOptions } from '../../run-options/container-options.ts';
import { containerFlags } from '../../run-options/flags.ts';
import { refuseNewFlags, refuseWindowsFlags } from '../../run-options/for-api-version.ts';
import { checkPullOption, createContainer } from './create-container.ts';
import { asUsageError } from './usage-error.ts';

const flags = {
  ...containerFlags,
  pull: string('When to pull the image first ("always", "missing", "never")', { initial: 'missing' }),
};

export const command: Command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  args: minArgs(1),
  flags,
  interspersed: false,
  async run(ctx, line) {
    refuseWindowsFlags(line.given);
    const [image = '', ...args] = line.args;
    const client = await ctx.client();
    await refuseNewFlags(line.given, client);
    const request = asUsageError(ctx.program, 'create', () => {
      checkPullOption(line.flags.pull);
      const environment = { env: ctx.env, proxies: ctx.config.proxies, daemonHost: client.host };
      return parseContainerOptions(line.flags, line.given, image, args, environment);
    });
    const id = await createContainer(ctx, client, request, {
      name: line.flags.name,
      platform: line.flags.platform,
      pull: line.flags.pull,
      quiet: line.flags.quiet,
      useApiSocket: line.flags['use-api-socket'],
    });
    ctx.out(`${id}\n`);
  },
});
