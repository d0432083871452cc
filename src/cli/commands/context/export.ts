import { existsSync, writeFileSync } from 'node:fs';
import { packContext } from '../../config/context-archive.ts';
import { contextStore } from '../../config/contexts.ts';
import { CliError, type Command, defineCommand, rangeArgs } from '../../framework/index.ts';

export const command: Command = defineCommand({
  usage: 'CONTEXT [FILE|-]',
  args: rangeArgs(1, 2),
  async run(ctx, { args }) {
    const [name = '', given] = args;
    const store = contextStore(ctx);
    const archive = packContext(store.get(name), store.tlsFiles(name));
    if (given === '-') {
      if (ctx.io.isTerminal('stdout')) {
        throw new CliError('cowardly refusing to export to a terminal, specify a file path');
      }
      ctx.out(archive);
      return;
    }
    const path = given ?? `${name}.dockercontext`;
    if (existsSync(path)) throw new CliError(`open ${path}: file exists`);
    writeFileSync(path, archive, { mode: 0o600, flag: 'wx' });
    ctx.err(`Written file "${path}"\n`);
  },
});
