import { CliError, type Command, defineCommand, describeError, minArgs } from '../../framework/index.ts';
import { parseName } from './manifest-list.ts';
import { ManifestStore } from './manifest-store.ts';

export const command: Command = defineCommand({
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  args: minArgs(1),
  flags: {},
  run(ctx, { args }) {
    const store = new ManifestStore(ctx);
    const problems: string[] = [];
    for (const text of args) {
      try {
        const name = parseName(text);
        store.getList(name);
        store.remove(name);
      } catch (error) {
        problems.push(describeError(error, ctx.program));
      }
    }
    if (problems.length > 0) throw new CliError(problems.join('\n'));
    return Promise.resolve();
  },
});
