import { binarySize } from '../../output/units.ts';
import type { ClientInfo } from '../client-info.ts';

/** The members of `GET /info` that are shown. */
export interface SystemInfo {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly Driver: string;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
  readonly LoggingDriver: string;
  readonly CgroupDriver: string;
  readonly CgroupVersion?: string;
  readonly Plugins: Readonly<Record<'Volume' | 'Network' | 'Authorization' | 'Log', readonly string[] | null>>;
  readonly CDISpecDirs?: readonly string[] | null;
  readonly Swarm?: { readonly LocalNodeState?: string };
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly DefaultRuntime?: string;
  readonly InitBinary?: string;
  readonly ContainerdCommit?: { readonly ID: string };
  readonly RuncCommit?: { readonly ID: string };
  readonly InitCommit?: { readonly ID: string };
  readonly SecurityOptions?: readonly string[] | null;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Name: string;
  readonly DockerRootDir: string;
  readonly Debug: boolean;
  readonly NFd?: number;
  readonly NGoroutines?: number;
  readonly SystemTime?: string;
  readonly NEventsListener?: number;
  readonly HttpProxy?: string;
  readonly HttpsProxy?: string;
  readonly NoProxy?: string;
  readonly Labels?: readonly string[] | null;
  readonly ExperimentalBuild: boolean;
  readonly RegistryConfig?: {
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly IndexConfigs?: Readonly<Record<string, { readonly Name: string; readonly Secure: boolean }>> | null;
    readonly Mirrors?: readonly string[] | null;
  } | null;
  readonly LiveRestoreEnabled: boolean;
  readonly ProductLicense?: string;
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[] | null;
  readonly FirewallBackend?: {
    readonly Driver: string;
    readonly Info?: readonly (readonly [string, string])[] | null;
  } | null;
  readonly ServerVersion: string;
  readonly Warnings?: readonly string[] | null;
}

export function clientText(own: ClientInfo, debug: boolean): string {
  return `Client:\n Version:    ${own.Version}\n Context:    ${own.Context}\n Debug Mode: ${debug}\n`;
}

type Lines = (string | readonly string[])[];

/** A line unless the value is empty. */
function fact(name: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [` ${name}: ${value}`];
}

/** A heading with lines below, or nothing without lines. */
function block(name: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [` ${name}:`, ...lines.map((line) => `  ${line}`)];
}

/** The server's half of `info`, a fact a line. */
export function serverText(info: SystemInfo, clientDebug: boolean): string {
  const lines: Lines = [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    fact('Server Version', info.ServerVersion),
    fact('Storage Driver', info.Driver),
    (info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    fact('Logging Driver', info.LoggingDriver),
    fact('Cgroup Driver', info.CgroupDriver),
    fact('Cgroup Version', info.CgroupVersion),
    pluginLines(info),
    block('CDI spec directories', info.CDISpecDirs ?? []),
    ` Swarm: ${info.Swarm?.LocalNodeState ?? ''}`,
    runtimeLines(info),
    info.OSType === 'linux' ? linuxLines(info) : [],
    machineLines(info),
    ` Debug Mode: ${info.Debug}`,
    info.Debug || clientDebug ? debugLines(info) : [],
    fact('HTTP Proxy', info.HttpProxy),
    fact('HTTPS Proxy', info.HttpsProxy),
    fact('No Proxy', info.NoProxy),
    block('Labels', info.Labels ?? []),
    ` Experimental: ${info.ExperimentalBuild}`,
    registryLines(info),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled}`,
    fact('Product License', info.ProductLicense),
    block(
      'Default Address Pools',
      (info.DefaultAddressPools ?? []).map(({ Base, Size }) => ` Base: ${Base}, Size: ${Size}`),
    ),
    firewallLines(info),
  ];
  return `${lines.flat().join('\n')}\n`;
}

function pluginLines({ Plugins }: SystemInfo): string[] {
  const names = (kind: 'Volume' | 'Network' | 'Authorization' | 'Log'): string => (Plugins?.[kind] ?? []).join(' ');
  const authorization = names('Authorization');
  return [
    ' Plugins:',
    `  Volume: ${names('Volume')}`,
    `  Network: ${names('Network')}`,
    ...(authorization === '' ? [] : [`  Authorization: ${authorization}`]),
    `  Log: ${names('Log')}`,
  ];
}

function runtimeLines(info: SystemInfo): string[] {
  const names = Object.keys(info.Runtimes ?? {});
  if (names.length === 0) return [];
  return [` Runtimes: ${names.join(' ')}`, ` Default Runtime: ${info.DefaultRuntime ?? ''}`];
}

function linuxLines(info: SystemInfo): string[] {
  return [
    ` Init Binary: ${info.InitBinary ?? ''}`,
    ` containerd version: ${info.ContainerdCommit?.ID ?? ''}`,
    ` runc version: ${info.RuncCommit?.ID ?? ''}`,
    ` init version: ${info.InitCommit?.ID ?? ''}`,
    ...securityLines(info.SecurityOptions ?? []),
  ];
}

/** `name=seccomp,profile=default` as a name with its profile below. */
function securityLines(options: readonly string[]): string[] {
  const lines = options.flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split('='));
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    const profiles = pairs.filter(([key]) => key === 'profile').map(([, value]) => `   Profile: ${value ?? ''}`);
    return [`  ${name}`, ...profiles];
  });
  return lines.length === 0 ? [] : [' Security Options:', ...lines];
}

function machineLines(info: SystemInfo): string[] {
  return [
    ...fact('Kernel Version', info.KernelVersion),
    ...fact('Operating System', info.OperatingSystem),
    ...fact('OSType', info.OSType),
    ...fact('Architecture', info.Architecture),
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${binarySize(info.MemTotal)}`,
    ...fact('Name', info.Name),
    ...fact('ID', info.ID),
    ` Docker Root Dir: ${info.DockerRootDir}`,
  ];
}

function debugLines(info: SystemInfo): string[] {
  return [
    `  File Descriptors: ${info.NFd ?? 0}`,
    `  Goroutines: ${info.NGoroutines ?? 0}`,
    `  System Time: ${info.SystemTime ?? ''}`,
    `  EventsListeners: ${info.NEventsListener ?? 0}`,
  ];
}

function registryLines({ RegistryConfig }: SystemInfo): string[] {
  const indexes = Object.values(RegistryConfig?.IndexConfigs ?? {});
  const cidrs = RegistryConfig?.InsecureRegistryCIDRs ?? [];
  const insecure = [...indexes.filter(({ Secure }) => !Secure).map(({ Name }) => Name), ...cidrs];
  const head = indexes.length + cidrs.length > 0 ? [' Insecure Registries:'] : [];
  return [...head, ...insecure.map((name) => `  ${name}`), ...block('Registry Mirrors', RegistryConfig?.Mirrors ?? [])];
}

function firewallLines({ FirewallBackend }: SystemInfo): string[] {
  if (!FirewallBackend) return [];
  const details = (FirewallBackend.Info ?? []).map(([name, value]) => `  ${name}: ${value}`);
  return [` Firewall Backend: ${FirewallBackend.Driver}`, ...details];
}
