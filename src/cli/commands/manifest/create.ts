import { formatReference } from '#spec';
import { bool, CliError, type Command, defineCommand, minArgs } from '../../framework/index.ts';
import { parseName } from './manifest-list.ts';
import { ManifestStore } from './manifest-store.ts';
import { Remote } from './remote.ts';

export const command: Command = defineCommand({
  usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  args: minArgs(2),
  flags: {
    amend: bool('Amend an existing manifest list', { short: 'a' }),
    insecure: bool('Allow communication with an insecure registry'),
  },
  async run(ctx, { flags, args }) {
    const [listName = '', ...images] = args;
    const list = parseName(listName);
    const store = new ManifestStore(ctx);
    if (store.findList(list) && !flags.amend) {
      throw new CliError('refusing to amend an existing manifest list with no --amend flag');
    }
    for (const text of images) {
      const name = parseName(text);
      if (store.find(list, name)?.Raw !== undefined) continue;
      using remote = new Remote(ctx, flags.insecure ? name.domain : undefined);
      store.save(list, name, await remote.image(name));
    }
    ctx.out(`Created manifest list ${formatReference(list)}\n`);
  },
});
