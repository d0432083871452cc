import { currentContextName } from '../../config/current-context.ts';
import { type Command, defineCommand, noArgs } from '../../framework/index.ts';

export const command: Command = defineCommand({
  usage: '',
  args: noArgs,
  async run(ctx) {
    ctx.out(`${currentContextName(ctx)}\n`);
  },
});
