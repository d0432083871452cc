import type { VolumeInspect } from '#spec';
import { CliError, type Command, defineCommand, list, maxArgs, string } from '../../framework/index.ts';
import { keyValues } from '../../framework/key-values.ts';
import { mapFlag } from '../../framework/multi-flags.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  args: maxArgs(1),
  flags: {
    driver: string('Specify volume driver name', { short: 'd', initial: 'local' }),
    label: list('Set metadata for a volume'),
    name: string('Specify volume name', { hidden: true }),
    opt: mapFlag('Set driver specific options', { short: 'o' }),
  },
  async run(ctx, { flags, args }) {
    const [name] = args;
    if (name !== undefined && flags.name !== '') {
      throw new CliError(
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const client = await ctx.client();
    const volume = await client.post<VolumeInspect>('/volumes/create', undefined, {
      json: { Name: name ?? flags.name, Driver: flags.driver, DriverOpts: flags.opt, Labels: keyValues(flags.label) },
    });
    ctx.out(`${volume.Name}\n`);
  },
});
