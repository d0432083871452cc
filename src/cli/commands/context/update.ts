import { contextStore, describedEndpoint } from '../../config/contexts.ts';
import { checkContextName } from '../../config/context-store.ts';
import { type Command, defineCommand, exactArgs, string } from '../../framework/index.ts';
import { pairsFlag } from '../../framework/multi-flags.ts';
import { dockerFlagHelp } from './help.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  args: exactArgs(1),
  description: `Update a context\n\n${dockerFlagHelp}`,
  flags: {
    description: string('Description of the context'),
    docker: pairsFlag('Set the docker endpoint'),
  },
  async run(ctx, { flags, args }) {
    const [name = ''] = args;
    checkContextName(name);
    const store = contextStore(ctx);
    const meta = store.get(name);
    const Metadata = flags.description === '' ? meta.Metadata : { ...meta.Metadata, Description: flags.description };
    if (flags.docker) {
      const { endpoint, tls } = describedEndpoint(ctx, flags.docker);
      store.put({ ...meta, Metadata, Endpoints: { ...meta.Endpoints, docker: endpoint } }, tls);
    } else {
      store.put({ ...meta, Metadata });
    }
    ctx.out(`${name}\n`);
    ctx.err(`Successfully updated context "${name}"\n`);
  },
});
