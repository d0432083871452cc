import { isIP } from 'node:net';
import { EngineError } from '#errors';
import type { PortProtocol, PortRequest, PublishedPort } from '#net';
import type { ContainerConfig, HostConfig, PortMap, PortSummary } from '#spec';
import type { ContainerRecord } from './record.ts';

type PortSettings = { config: ContainerConfig; hostConfig: HostConfig };

interface Port {
  number: number;
  protocol: PortProtocol;
}

const MAX_PORT = 65535;

function portNumber(text: string, least = 0): number | undefined {
  const number = Number(text);
  return /^\d+$/.test(text) && number >= least && number <= MAX_PORT ? number : undefined;
}

function isProtocol(text: string): text is PortProtocol {
  return text === 'tcp' || text === 'udp' || text === 'sctp';
}

/** `80`, `80/udp` */
function parsePort(text: string): Port | undefined {
  const [port = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const number = portNumber(port, 1);
  return number !== undefined && isProtocol(protocol) ? { number, protocol } : undefined;
}

/** `8080`, `8000-8010`; nothing and 0 leave the choice to us. Undefined is no range. */
function parseHostPorts(text: string): { range: PortRequest['hostPorts'] } | undefined {
  if (text === '' || text === '0') return { range: undefined };
  const [from = '', to = from, ...more] = text.split('-');
  const first = portNumber(from, 1);
  const last = portNumber(to, 1);
  if (first === undefined || last === undefined || last < first || more.length > 0) return undefined;
  return { range: { first, last } };
}

function invalidPort(text: string): EngineError {
  const message = `invalid port specification: ${JSON.stringify(text)}`;
  return new EngineError('invalidArgument', 'INVALID_PORT', message);
}

/** What of a container's ports makes no sense. @throws invalidArgument with Docker's texts. */
export function checkPorts({ PortBindings }: Pick<HostConfig, 'PortBindings'>): void {
  for (const [port, bindings] of Object.entries(PortBindings ?? {})) {
    if (parsePort(port) === undefined) throw invalidPort(port);
    for (const { HostIp, HostPort } of bindings ?? []) {
      if (parseHostPorts(HostPort) === undefined) throw invalidPort(HostPort);
      if (HostIp !== '' && isIP(HostIp) === 0) {
        throw new EngineError('invalidArgument', 'INVALID_HOST_ADDRESS', `invalid IP address: ${HostIp}`);
      }
    }
  }
}

const anywhere = new Set(['0.0.0.0', '::']);

/** One warning for each port that is published at all of the host's addresses. @param hostBinding - where it is if not told. */
export function publicPortWarnings(settings: PortSettings, hostBinding: string): string[] {
  if (settings.hostConfig.NetworkMode === 'host') return [];
  const open = portRequests(settings).filter(({ hostAddress }) => anywhere.has(hostAddress || hostBinding));
  const names = new Set(open.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return [...names].map((name) => `Port ${name} is published at all addresses of the host; anybody may reach it`);
}

/** The ports that a container shows, whether published or not, as `80/tcp`. Ranges of images count one by one. */
export function exposedPorts({ config, hostConfig }: PortSettings): string[] {
  const names = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings ?? {})];
  return [...new Set(names.flatMap(portNames))];
}

function portNames(text: string): string[] {
  const [ports = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const { range } = parseHostPorts(ports) ?? {};
  if (range === undefined) return [];
  return Array.from({ length: range.last - range.first + 1 }, (_, offset) => `${range.first + offset}/${protocol}`);
}

/** What is to be published of a container; one binding without an address and port for each exposed port with `-P`. */
export function portRequests(settings: PortSettings): PortRequest[] {
  const { PortBindings, PublishAllPorts } = settings.hostConfig;
  const bindings: PortMap = Object.fromEntries(
    Object.entries(PortBindings ?? {}).flatMap(([port, given]) => portNames(port).map((name) => [name, given])),
  );
  return exposedPorts(settings).flatMap((name) => {
    const port = parsePort(name);
    if (port === undefined) return [];
    const given = bindings[name] ?? [];
    const wanted = given.length === 0 && PublishAllPorts ? [{ HostIp: '', HostPort: '' }] : given;
    return wanted.map(({ HostIp, HostPort }) => ({
      protocol: port.protocol,
      containerPort: port.number,
      hostAddress: HostIp,
      hostPorts: parseHostPorts(HostPort)?.range,
    }));
  });
}

function publishedPorts(record: ContainerRecord): PublishedPort[] {
  return (record.sandbox?.endpoints ?? []).flatMap(({ ports }) => ports ?? []);
}

/** Whether a container has ports of its own: not one that uses the network of the host or of another. */
function hasPorts({ hostConfig, sandbox }: ContainerRecord): boolean {
  return hostConfig.NetworkMode !== 'host' && sandbox !== undefined && sandbox.endpoints.length > 0;
}

/** `NetworkSettings.Ports` of a running container: what is exposed but not published leads nowhere. */
export function toPortMap(record: ContainerRecord): PortMap {
  if (!hasPorts(record)) return {};
  const published = publishedPorts(record);
  return Object.fromEntries(
    exposedPorts(record).map((name) => {
      const bindings = published
        .filter(({ containerPort, protocol }) => `${containerPort}/${protocol}` === name)
        .map(({ hostAddress, hostPort }) => ({ HostIp: hostAddress, HostPort: String(hostPort) }));
      return [name, bindings.length === 0 ? null : bindings];
    }),
  );
}

/** `Ports` of a running container in a list. */
export function toPortList(record: ContainerRecord): PortSummary[] {
  return Object.entries(toPortMap(record)).flatMap(([name, bindings]): PortSummary[] => {
    const { number: PrivatePort, protocol: Type } = parsePort(name) ?? { number: 0, protocol: 'tcp' };
    if (bindings === null) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp, PrivatePort, PublicPort: Number(HostPort), Type }));
  });
}
