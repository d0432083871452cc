import { contextStore } from '../../config/contexts.ts';
import { writeConfigFile } from '../../config/credentials.ts';
import { defaultContextName } from '../../config/current-context.ts';
import { type Command, defineCommand, exactArgs } from '../../framework/index.ts';

export const command: Command = defineCommand({
  usage: 'CONTEXT',
  args: exactArgs(1),
  async run(ctx, { args }) {
    const [name = ''] = args;
    if (name !== defaultContextName) contextStore(ctx).get(name);
    const { currentContext = '', ...rest } = ctx.config;
    const wanted = name === defaultContextName ? '' : name;
    if (currentContext !== wanted) {
      writeConfigFile(ctx.globals.configDir, wanted === '' ? rest : { ...rest, currentContext: wanted });
    }
    ctx.out(`${name}\n`);
    ctx.err(`Current context is now "${name}"\n`);
    if (wanted === '' || !ctx.env['DOCKER_HOST']) return;
    ctx.err(
      'Warning: DOCKER_HOST environment variable overrides the active context. ' +
        `To use "${name}", either set the global --context flag, or unset DOCKER_HOST environment variable.\n`,
    );
  },
});
