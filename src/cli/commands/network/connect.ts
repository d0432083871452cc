import { type Command, CliError, defineCommand, exactArgs, int, list, string } from '../../framework/index.ts';
import { commaList } from '../../framework/multi-flags.ts';
import { pathName } from '../inspect-fetchers.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] NETWORK CONTAINER',
  args: exactArgs(2),
  flags: {
    alias: commaList('Add network-scoped alias for the container'),
    'driver-opt': commaList('Driver options for the network'),
    'gw-priority': int('Highest priority provides the default gateway; may be negative'),
    ip: string('IPv4 address (e.g., "172.30.100.104")'),
    ip6: string('IPv6 address (e.g., "2001:db8::33")'),
    link: list('Add link to another container'),
    'link-local-ip': commaList('Add a link-local address for the container'),
  },
  async run(ctx, { flags, args }) {
    const [network = '', container = ''] = args;
    const driverOpts = Object.fromEntries(
      flags['driver-opt'].map((text) => {
        const cut = text.indexOf('=');
        const key = text.slice(0, Math.max(0, cut)).trim();
        if (key === '') throw new CliError('invalid key/value pair format in driver options');
        return [key, text.slice(cut + 1).trim()] as const;
      }),
    );
    const client = await ctx.client();
    await client.post(`/networks/${pathName(network)}/connect`, undefined, {
      json: {
        Container: container,
        EndpointConfig: {
          IPAMConfig: {
            ...(flags.ip === '' ? {} : { IPv4Address: flags.ip }),
            ...(flags.ip6 === '' ? {} : { IPv6Address: flags.ip6 }),
            ...(flags['link-local-ip'].length === 0 ? {} : { LinkLocalIPs: flags['link-local-ip'] }),
          },
          Links: flags.link,
          Aliases: flags.alias,
          DriverOpts: driverOpts,
          GwPriority: flags['gw-priority'],
        },
      },
    });
  },
});
