import { existsSync } from 'node:fs';
import { contextStore } from '../../config/contexts.ts';
import { writeConfigFile } from '../../config/credentials.ts';
import { currentContextName, defaultContextName } from '../../config/current-context.ts';
import { bool, CliError, type Command, defineCommand, forEachArg, minArgs } from '../../framework/index.ts';

export const command: Command = defineCommand({
  usage: 'CONTEXT [CONTEXT...]',
  args: minArgs(1),
  flags: { force: bool('Force the removal of a context in use', { short: 'f' }) },
  async run(ctx, { flags, args }) {
    const store = contextStore(ctx);
    const current = currentContextName(ctx);
    await forEachArg(ctx, args, async (name) => {
      if (name === defaultContextName) throw new CliError('context "default" cannot be removed');
      if (name === current) {
        if (!flags.force) throw new CliError(`context "${name}" is in use, set -f flag to force remove`);
        const { currentContext: _current, ...rest } = ctx.config;
        writeConfigFile(ctx.globals.configDir, rest);
      }
      if (!flags.force && !existsSync(store.metaDir(name))) throw new CliError(`context "${name}" does not exist`);
      store.remove(name);
      return name;
    });
  },
});
