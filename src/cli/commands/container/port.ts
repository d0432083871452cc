import type { ContainerInspect, PortBinding } from '#spec';
import { type Command, defineCommand, rangeArgs } from '../../framework/command.ts';
import { CliError } from '../../framework/errors.ts';
import { cut, parseDecimal, quote } from '../../run-options/go-values.ts';

export const command: Command = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  args: rangeArgs(1, 2),
  async run(ctx, line) {
    const [name = '', wanted = ''] = line.args;
    const client = await ctx.client();
    const container = await client.get<ContainerInspect>(`/containers/${encodeURIComponent(name)}/json`);
    const ports = container.NetworkSettings.Ports ?? {};
    const lines = wanted === '' ? allPorts(ports) : onePort(ports, wanted, name);
    if (lines.length > 0) ctx.out(`${lines.sort(naturalOrder).join('\n')}\n`);
  },
});

type Ports = ContainerInspect['NetworkSettings']['Ports'];

function allPorts(ports: Ports): string[] {
  return Object.entries(ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map((binding) => `${port} -> ${hostPort(binding)}`),
  );
}

function onePort(ports: Ports, wanted: string, name: string): string[] {
  const [port, protocol] = cut(wanted, '/');
  const number = parseDecimal(port, 16, false);
  if (typeof number !== 'number') {
    throw new CliError(`Error: invalid port (${port}): strconv.ParseUint: parsing ${quote(port)}: ${number}`);
  }
  const bindings = ports[`${port}/${protocol === '' ? 'tcp' : protocol}`] ?? [];
  if (bindings.length === 0) throw new CliError(`Error: No public port '${wanted}' published for ${name}`);
  return bindings.map(hostPort);
}

function hostPort({ HostIp, HostPort }: PortBinding): string {
  return HostIp.includes(':') ? `[${HostIp}]:${HostPort}` : `${HostIp}:${HostPort}`;
}

/** Numbers within the text by their value. */
function naturalOrder(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const [x = '', y = ''] = [left[index], right[index]];
    const difference = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
