import { contextStore, defaultContext, describedEndpoint } from '../../config/contexts.ts';
import { checkContextName, type ContextMeta } from '../../config/context-store.ts';
import { currentContextName, defaultContextName } from '../../config/current-context.ts';
import type { CliContext } from '../../context.ts';
import { CliError, type Command, defineCommand, exactArgs, string } from '../../framework/index.ts';
import { pairsFlag } from '../../framework/multi-flags.ts';
import { dockerFlagHelp } from './help.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] CONTEXT',
  args: exactArgs(1),
  description: `Create a context\n\n${dockerFlagHelp}`,
  flags: {
    description: string('Description of the context'),
    docker: pairsFlag('Set the docker endpoint'),
    from: string('Create context from a named context'),
  },
  async run(ctx, { flags, args }) {
    const [name = ''] = args;
    checkContextName(name);
    const store = contextStore(ctx);
    if (store.find(name)) throw new CliError(`context "${name}" already exists`);
    if (flags.from !== '' && flags.docker) throw new CliError('cannot use --docker flag when --from is set');
    if (flags.docker) {
      const { endpoint, tls } = describedEndpoint(ctx, flags.docker);
      const Metadata = flags.description === '' ? {} : { Description: flags.description };
      store.put({ Name: name, Metadata, Endpoints: { docker: endpoint } }, tls);
    } else {
      const { meta, tls } = sourceContext(ctx, flags.from || currentContextName(ctx));
      const Metadata = flags.description === '' ? meta.Metadata : { ...meta.Metadata, Description: flags.description };
      store.put({ ...meta, Name: name, Metadata }, tls);
    }
    ctx.out(`${name}\n`);
    ctx.err(`Successfully created context "${name}"\n`);
  },
});

function sourceContext(ctx: CliContext, name: string): { meta: ContextMeta; tls: Record<string, string> } {
  const store = contextStore(ctx);
  if (name !== defaultContextName) return { meta: store.get(name), tls: store.tlsFiles(name) };
  return { meta: { ...defaultContext(ctx), Metadata: { Description: defaultDescription } }, tls: {} };
}

const defaultDescription = 'Current DOCKER_HOST based configuration';
