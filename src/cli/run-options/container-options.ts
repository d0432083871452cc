import type { ContainerConfig, DeviceRequest, HostConfig, NetworkingConfig, RestartPolicy } from '#spec';
import { CliError } from '../framework/errors.ts';
import { parseDevices } from './devices.ts';
import type { ContainerFlags, GivenFlag } from './flags.ts';
import { cut, isMacAddress, parseDecimal } from './go-values.ts';
import { parseHealth } from './health.ts';
import { pairsToRecord, readKeyValues } from './key-value-files.ts';
import { parseEndpoints } from './networks.ts';
import { withProxyVariables, type ProxySettings } from './proxy-env.ts';
import { parsePorts } from './ports.ts';
import { parseSecurityOptions } from './security.ts';
import { parseVolumes } from './volumes.ts';

/** Docker's client leaves an empty runtime out. */
export type RequestedHostConfig = Omit<HostConfig, 'Runtime'> & { Runtime?: string };

/** What the options of `run` and `create` ask the daemon for. The caller may change it before it is sent. */
export interface ContainerRequest {
  config: ContainerConfig;
  hostConfig: RequestedHostConfig;
  networkingConfig: NetworkingConfig;
}

/** Where options look things up; a test gives its own. */
export interface OptionEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  proxies?: ProxySettings | undefined;
  daemonHost: string;
}

/**
 * Turns parsed flags into the create request, as Docker's client does: the same values, defaults, nulls and left-out
 * members.
 *
 * @throws {@link CliError} with Docker's words when options are wrong or contradict each other.
 */
export function parseContainerOptions(
  flags: ContainerFlags,
  given: GivenFlag,
  image: string,
  args: readonly string[],
  environment: OptionEnvironment,
): ContainerRequest {
  const mac = flags['mac-address'];
  if (mac !== '' && !isMacAddress(mac.trim())) throw new CliError(`${mac} is not a valid mac address`);
  const swappiness = flags['memory-swappiness'];
  if (swappiness < -1 || swappiness > 100) {
    throw new CliError(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  const config = containerConfig(flags, given, image, args, environment);
  const hostConfig = containerHostConfig(flags, given);
  if (flags.rm && !['', 'no'].includes(hostConfig.RestartPolicy.Name)) {
    throw new CliError('conflicting options: cannot specify both --restart and --rm');
  }
  const EndpointsConfig = parseEndpoints(flags.network, {
    aliases: flags['network-alias'],
    links: flags.link,
    ipv4: flags.ip,
    ipv6: flags.ip6,
    mac,
    linkLocalIps: flags['link-local-ip'],
  });
  const main = EndpointsConfig[hostConfig.NetworkMode];
  if (main && main.MacAddress !== '') config.MacAddress = main.MacAddress;
  return { config, hostConfig, networkingConfig: { EndpointsConfig } };
}

function containerConfig(
  flags: ContainerFlags,
  given: GivenFlag,
  image: string,
  args: readonly string[],
  { env, proxies, daemonHost }: OptionEnvironment,
): ContainerConfig {
  const attach = new Set(flags.attach);
  const attachStdin = flags.interactive || attach.has('stdin');
  const volumes = parseVolumes(flags.volume);
  const ports = parsePorts(flags.publish, flags.expose);
  const ownVariables = withProxyVariables(flags.env, proxies, daemonHost);
  const variables = readKeyValues(flags['env-file'], ownVariables, (key) => env[key]);
  const health = parseHealth(healthOptions(flags));
  const entrypoint = flags.entrypoint !== '' || given('entrypoint') ? [flags.entrypoint] : null;
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin: attachStdin,
    AttachStdout: attach.size === 0 || attach.has('stdout'),
    AttachStderr: attach.size === 0 || attach.has('stderr'),
    ...(Object.keys(ports.exposed).length > 0 ? { ExposedPorts: ports.exposed } : {}),
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    // The stream ends for good when the client that feeds it goes.
    StdinOnce: flags.interactive && attachStdin,
    Env: orNull(variables),
    Cmd: orNull(args),
    ...(health ? { Healthcheck: health } : {}),
    Image: image,
    Volumes: volumes.anonymous,
    WorkingDir: flags.workdir,
    Entrypoint: entrypoint,
    ...(flags['mac-address'] === '' ? {} : { MacAddress: flags['mac-address'] }),
    OnBuild: null,
    Labels: pairsToRecord(readKeyValues(flags['label-file'], flags.label)),
    ...(flags['stop-signal'] === '' ? {} : { StopSignal: flags['stop-signal'] }),
    ...(given('stop-timeout') ? { StopTimeout: flags['stop-timeout'] } : {}),
  };
}

function healthOptions(flags: ContainerFlags): Parameters<typeof parseHealth>[0] {
  return {
    command: flags['health-cmd'],
    interval: flags['health-interval'],
    timeout: flags['health-timeout'],
    startPeriod: flags['health-start-period'],
    startInterval: flags['health-start-interval'],
    retries: flags['health-retries'],
    disabled: flags['no-healthcheck'],
  };
}

function containerHostConfig(flags: ContainerFlags, given: GivenFlag): RequestedHostConfig {
  const devices = parseDevices(flags.device);
  checkNamespaces(flags);
  const restart = parseRestartPolicy(flags.restart);
  const logOptions = pairsToRecord(flags['log-opt']);
  if (flags['log-driver'] === 'none' && flags['log-opt'].length > 0) {
    throw new CliError('invalid logging opts for driver none');
  }
  const security = parseSecurityOptions(flags['security-opt']);
  return {
    ...resources(flags),
    Binds: orNull(parseVolumes(flags.volume).binds),
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags['log-driver'], Config: logOptions },
    NetworkMode: flags.network[0]?.target ?? 'default',
    PortBindings: parsePorts(flags.publish, flags.expose).bindings,
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    VolumeDriver: flags['volume-driver'],
    VolumesFrom: orNull(flags['volumes-from']),
    ...(flags.mount.length > 0 ? { Mounts: [...flags.mount] } : {}),
    ConsoleSize: [0, 0],
    ...recordOr('Annotations', pairsToRecord(flags.annotation)),
    CapAdd: normalizeCapabilities(flags['cap-add']),
    CapDrop: normalizeCapabilities(flags['cap-drop']),
    CgroupnsMode: flags.cgroupns,
    Dns: [...flags.dns],
    DnsOptions: [...flags['dns-option']],
    DnsSearch: [...flags['dns-search']],
    ExtraHosts: orNull(flags['add-host']),
    GroupAdd: orNull(flags['group-add']),
    IpcMode: flags.ipc,
    Cgroup: '',
    Links: orNull(flags.link),
    OomScoreAdj: flags['oom-score-adj'],
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags['publish-all'],
    ReadonlyRootfs: flags['read-only'],
    SecurityOpt: flags['security-opt'].length > 0 ? security.options : null,
    ...recordOr('StorageOpt', storageOptions(flags['storage-opt'])),
    ...recordOr('Tmpfs', splitPairs(flags.tmpfs, ':')),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags['shm-size'],
    ...recordOr('Sysctls', pairsToRecord(flags.sysctl)),
    ...(flags.runtime === '' ? {} : { Runtime: flags.runtime }),
    Isolation: flags.isolation,
    MaskedPaths: security.unmasked ? [] : null,
    ReadonlyPaths: security.unmasked ? [] : null,
    Devices: devices.mappings,
    DeviceRequests: deviceRequests(flags.gpus, devices.cdiNames),
    ...(given('init') ? { Init: flags.init } : {}),
  };
}

type Resources = Pick<
  HostConfig,
  | 'CpuShares'
  | 'Memory'
  | 'NanoCpus'
  | 'CgroupParent'
  | 'BlkioWeight'
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'DeviceCgroupRules'
  | 'KernelMemory'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'MemorySwappiness'
  | 'OomKillDisable'
  | 'PidsLimit'
  | 'Ulimits'
  | 'CpuCount'
  | 'CpuPercent'
  | 'IOMaximumIOps'
  | 'IOMaximumBandwidth'
>;

function resources(flags: ContainerFlags): Resources {
  return {
    CpuShares: flags['cpu-shares'],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags['cgroup-parent'],
    BlkioWeight: flags['blkio-weight'],
    BlkioWeightDevice: [...flags['blkio-weight-device']],
    BlkioDeviceReadBps: [...flags['device-read-bps']],
    BlkioDeviceWriteBps: [...flags['device-write-bps']],
    BlkioDeviceReadIOps: [...flags['device-read-iops']],
    BlkioDeviceWriteIOps: [...flags['device-write-iops']],
    CpuPeriod: flags['cpu-period'],
    CpuQuota: flags['cpu-quota'],
    CpuRealtimePeriod: flags['cpu-rt-period'],
    CpuRealtimeRuntime: flags['cpu-rt-runtime'],
    CpusetCpus: flags['cpuset-cpus'],
    CpusetMems: flags['cpuset-mems'],
    DeviceCgroupRules: orNull(flags['device-cgroup-rule']),
    ...(flags['kernel-memory'] === 0 ? {} : { KernelMemory: flags['kernel-memory'] }),
    MemoryReservation: flags['memory-reservation'],
    MemorySwap: flags['memory-swap'],
    MemorySwappiness: flags['memory-swappiness'],
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'],
    Ulimits: [...flags.ulimit],
    CpuCount: flags['cpu-count'],
    CpuPercent: flags['cpu-percent'],
    IOMaximumIOps: flags['io-maxiops'],
    IOMaximumBandwidth: flags['io-maxbandwidth'],
  };
}

function checkNamespaces(flags: ContainerFlags): void {
  if (!['', 'host'].includes(flags.pid) && !/^container:./s.test(flags.pid)) {
    throw new CliError('--pid: invalid PID mode');
  }
  if (!['', 'host'].includes(flags.uts)) throw new CliError('--uts: invalid UTS mode');
  if (!['', 'host'].includes(flags.userns)) throw new CliError('--userns: invalid USER mode');
  if (!['', 'host', 'private'].includes(flags.cgroupns)) throw new CliError('--cgroupns: invalid CGROUP mode');
}

/**
 * Reads `name[:retries]`; the daemon judges the name.
 *
 * @throws {@link CliError}
 */
export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const [name, count, found] = cut(text, ':');
  if (found && name === '') {
    throw new CliError('invalid restart policy format: no policy provided before colon');
  }
  const retries = count === '' ? 0 : parseDecimal(count, 64, true);
  if (typeof retries !== 'number') {
    throw new CliError('invalid restart policy format: maximum retry count must be an integer');
  }
  return { Name: name, MaximumRetryCount: retries };
}

function deviceRequests(gpus: readonly DeviceRequest[], cdiNames: string[]): DeviceRequest[] | null {
  const cdi = { Driver: 'cdi', Count: 0, DeviceIDs: cdiNames, Capabilities: null, Options: null };
  return orNull(cdiNames.length > 0 ? [...gpus, cdi] : gpus);
}

/** `CAP_` names in upper case, each once, sorted; `ALL` stays. */
function normalizeCapabilities(names: readonly string[]): string[] | null {
  const normal = names.map((name) => {
    const upper = name.toUpperCase();
    return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  return orNull([...new Set(normal)].sort());
}

function storageOptions(options: readonly string[]): Record<string, string> {
  if (options.some((option) => !option.includes('='))) throw new CliError('invalid storage option');
  return splitPairs(options, '=');
}

function splitPairs(pairs: readonly string[], separator: string): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => cut(pair, separator).slice(0, 2) as [string, string]));
}

/** The member with this name, unless the record is empty. */
function recordOr<K extends string>(name: K, record: Record<string, string>): { [P in K]?: Record<string, string> } {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a computed key loses its type */
  return (Object.keys(record).length > 0 ? { [name]: record } : {}) as { [P in K]?: Record<string, string> };
}

function orNull<T>(list: readonly T[]): T[] | null {
  return list.length > 0 ? [...list] : null;
}
