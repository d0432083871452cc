import { humanDuration, parseRfc3339Nano, ZERO_TIME } from '#lib';
import {
  emptyEndpointSettings,
  type ContainerInspect,
  type ContainerState,
  type ContainerSummary,
  type EndpointSettings,
  type HostConfig,
  type NetworkSettings,
} from '#spec';
import { endpointNames } from '../networks/endpoint-names.ts';
import { toPortList, toPortMap } from './ports.ts';
import { endingOf, isLive, type ContainerRecord, type Endpoint } from './record.ts';

function ago(time: string, nowMs: number): string {
  const nano = parseRfc3339Nano(time) ?? 0n;
  return humanDuration((nowMs - Number(nano / 1_000_000n)) / 1000);
}

/** The `STATUS` column of `docker ps`. */
export function statusText({ phase, health }: Pick<ContainerRecord, 'phase' | 'health'>, nowMs: number): string {
  switch (phase.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${ago(phase.startedAt, nowMs)}${healthText(health)}`;
    case 'paused':
      return `Up ${ago(phase.startedAt, nowMs)} (Paused)`;
    case 'restarting':
      return `Restarting (${phase.exitCode}) ${ago(phase.finishedAt, nowMs)} ago`;
    case 'exited':
      return `Exited (${phase.exitCode}) ${ago(phase.finishedAt, nowMs)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

function healthText(health: ContainerRecord['health']): string {
  if (!health) return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}

/** `State` of inspect. */
export function toState({ phase, health }: Pick<ContainerRecord, 'phase' | 'health'>): ContainerState {
  const live = isLive(phase);
  const ending = endingOf(phase);
  return {
    Status: phase.status,
    Running: live || phase.status === 'restarting',
    Paused: phase.status === 'paused',
    Restarting: phase.status === 'restarting',
    OOMKilled: ending?.oomKilled ?? false,
    Dead: phase.status === 'dead',
    Pid: live ? phase.pid : 0,
    ExitCode: ending?.exitCode ?? (phase.status === 'created' ? phase.exitCode : 0),
    Error: ending?.error ?? (phase.status === 'created' ? phase.error : ''),
    StartedAt: live ? phase.startedAt : (ending?.startedAt ?? ZERO_TIME),
    FinishedAt: ending?.finishedAt ?? ZERO_TIME,
    ...(health ? { Health: health } : {}),
  };
}

/** The command as `docker ps` shows it: joined, quoted where it has spaces. */
export function commandText(record: ContainerRecord): string {
  const args = record.args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg));
  return [record.path, ...args].join(' ');
}

/** The endpoints of a container by network name. */
export function endpointsOf(record: ContainerRecord): Record<string, EndpointSettings> {
  const live = isLive(record.phase) ? (record.sandbox?.endpoints ?? []) : [];
  return Object.fromEntries(
    Object.entries(record.endpoints).map(([name, given]) => {
      const endpoint = live.find(({ networkName }) => networkName === name);
      return [name, toEndpointSettings(given, endpoint, builtIn.has(name) ? null : namesOf(record, given))];
    }),
  );
}

const builtIn = new Set(['bridge', 'host', 'none']);

/** Docker knows the names once the container has been started. */
function namesOf(record: ContainerRecord, given: EndpointSettings): string[] | null {
  return record.phase.status === 'created' ? null : endpointNames(record, given.Aliases ?? []);
}

function toEndpointSettings(
  given: EndpointSettings,
  endpoint: Endpoint | undefined,
  names: string[] | null,
): EndpointSettings {
  return emptyEndpointSettings({
    IPAMConfig: given.IPAMConfig,
    Links: given.Links,
    Aliases: given.Aliases,
    MacAddress: endpoint?.macAddress ?? '',
    DriverOpts: given.DriverOpts,
    GwPriority: given.GwPriority,
    NetworkID: endpoint?.networkId ?? '',
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    DNSNames: names,
  });
}

function toNetworkSettings(record: ContainerRecord): NetworkSettings {
  const live = isLive(record.phase);
  // The fields beside `Networks` are those of the default network alone.
  const endpoint = live ? record.sandbox?.endpoints.find(({ networkName }) => networkName === 'bridge') : undefined;
  return {
    Bridge: '',
    SandboxID: live && record.sandbox ? record.id : '',
    SandboxKey: live ? (record.sandbox?.netnsPath ?? '') : '',
    Ports: live ? toPortMap(record) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint?.gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: '',
    MacAddress: endpoint?.macAddress ?? '',
    Networks: endpointsOf(record),
  };
}

/** Docker leaves the runtime out until one is chosen. */
function toHostConfig(host: HostConfig): HostConfig {
  if (host.Runtime) return host;
  const { Runtime: _unset, ...rest } = host;
  return rest;
}

/** Facts for inspect that are not in the record. */
export interface InspectExtras {
  directory: string;
  logPath: string;
  execIds: string[] | null;
  graphDriverData: Record<string, string> | null;
  size?: { rw: number; rootFs: number } | undefined;
}

/** `GET /containers/{id}/json`. */
export function toInspect(record: ContainerRecord, extras: InspectExtras): ContainerInspect {
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: record.path,
    Args: record.args,
    State: toState(record),
    Image: record.imageId,
    ResolvConfPath: `${extras.directory}/resolv.conf`,
    HostnamePath: `${extras.directory}/hostname`,
    HostsPath: `${extras.directory}/hosts`,
    LogPath: extras.logPath,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'overlay2',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: extras.execIds,
    HostConfig: toHostConfig(record.hostConfig),
    GraphDriver: { Name: 'overlay2', Data: extras.graphDriverData },
    ...(extras.size ? { SizeRw: extras.size.rw, SizeRootFs: extras.size.rootFs } : {}),
    Mounts: record.mounts.map((mount) => mount.point),
    Config: record.config,
    NetworkSettings: toNetworkSettings(record),
  };
}

/** One row of `GET /containers/json`. */
export function toSummary(
  record: ContainerRecord,
  nowMs: number,
  size?: { rw: number; rootFs: number },
): ContainerSummary {
  const created = parseRfc3339Nano(record.createdAt) ?? 0n;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: record.config.Image,
    ImageID: record.imageId,
    Command: commandText(record),
    Created: Number(created / 1_000_000_000n),
    Ports: isLive(record.phase) ? toPortList(record) : [],
    ...(size ? { SizeRw: size.rw, SizeRootFs: size.rootFs } : {}),
    Labels: record.config.Labels ?? {},
    State: record.phase.status,
    Status: statusText(record, nowMs),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode,
      ...(record.hostConfig.Annotations ? { Annotations: record.hostConfig.Annotations } : {}),
    },
    NetworkSettings: { Networks: endpointsOf(record) },
    Mounts: record.mounts.map((mount) => mount.point),
  };
}
