import { bool, type Command, defineCommand, exactArgs, list, string } from '../../framework/index.ts';
import { commaList, mapFlag } from '../../framework/multi-flags.ts';
import { keyValues } from '../../framework/key-values.ts';
import { ipamConfig } from './ipam.ts';

export const command: Command = defineCommand({
  usage: '[OPTIONS] NETWORK',
  args: exactArgs(1),
  flags: {
    attachable: bool('Enable manual container attachment'),
    'aux-address': mapFlag('Auxiliary IPv4 or IPv6 addresses used by the network driver'),
    'config-from': string('The network from which to copy the configuration'),
    'config-only': bool('Create a configuration only network'),
    driver: string('Driver to manage the network', { short: 'd', initial: 'bridge' }),
    gateway: commaList('IPv4 or IPv6 gateway for the subnet'),
    ingress: bool('Create swarm routing-mesh network'),
    internal: bool('Restrict external access to the network'),
    'ip-range': commaList('Allocate container addresses from a sub-range'),
    'ipam-driver': string('IP address management driver', { initial: 'default' }),
    'ipam-opt': mapFlag('Set IPAM driver specific options'),
    ipv4: bool('Enable or disable IPv4 address assignment', { initial: true }),
    ipv6: bool('Enable or disable IPv6 address assignment'),
    label: list('Set metadata on a network'),
    opt: mapFlag('Set driver specific options', { short: 'o' }),
    scope: string("Control the network's scope"),
    subnet: commaList('Subnet in CIDR format that represents a network segment'),
  },
  async run(ctx, { flags, args, given }) {
    const client = await ctx.client();
    const configFrom = flags['config-from'];
    const { Id } = await client.post<{ Id: string }>('/networks/create', undefined, {
      json: {
        Name: args[0],
        Driver: flags.driver,
        Scope: flags.scope,
        ...(given('ipv4') ? { EnableIPv4: flags.ipv4 } : {}),
        ...(given('ipv6') ? { EnableIPv6: flags.ipv6 } : {}),
        IPAM: {
          Driver: flags['ipam-driver'],
          Options: flags['ipam-opt'],
          Config: ipamConfig({
            subnets: flags.subnet,
            ranges: flags['ip-range'],
            gateways: flags.gateway,
            auxiliary: flags['aux-address'],
          }),
        },
        Internal: flags.internal,
        Attachable: flags.attachable,
        Ingress: flags.ingress,
        ConfigOnly: flags['config-only'],
        ConfigFrom: configFrom === '' ? null : { Network: configFrom },
        Options: flags.opt,
        Labels: keyValues(flags.label),
        CheckDuplicate: true,
      },
    });
    ctx.out(`${Id}\n`);
  },
});
