import type { DeviceRequest, Mount, ThrottleDevice, Ulimit, WeightDevice } from '#spec';
import { FlagValueError } from '../framework/errors.ts';
import { bool, custom, duration, type FlagSpec, int, list, string } from '../framework/flags.ts';
import { parseIntText } from '../framework/values.ts';
import {
  checkAttach,
  checkDeviceCgroupRule,
  checkDnsSearch,
  checkEnv,
  checkExtraHost,
  checkIpAddress,
  checkLabel,
  checkLink,
  checkSysctl,
} from './checks.ts';
import { parseGpus } from './devices.ts';
import { quote } from './go-values.ts';
import { addUlimit, parseBpsDevice, parseCpus, parseIopsDevice, parseWeightDevice } from './limits.ts';
import { parseMount } from './mounts.ts';
import { parseNetwork, type NetworkAttachment } from './networks.ts';
import { parseRamBytes, parseSwapBytes } from './size.ts';

/** A size; the framework's own is not as exact in its messages. */
function size(description: string, short?: string, set = parseRamBytes): FlagSpec<number> {
  return custom(description, { type: 'bytes', initial: 0, set, ...(short === undefined ? {} : { short }) });
}

function cpus(description: string): FlagSpec<number> {
  return custom(description, { type: 'decimal', initial: 0, set: parseCpus });
}

function uint16(description: string): FlagSpec<number> {
  const set = (text: string): number => {
    const value = parseIntText(text, 'ParseUint');
    if (value <= 65535) return value;
    throw new FlagValueError(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
  };
  return custom(description, { type: 'uint16', initial: 0, set });
}

/** Collects what `parse` makes of each value. */
function collected<T>(
  description: string,
  type: string,
  parse: (text: string) => T,
  extra: { aliases?: readonly string[]; defaultText?: string } = {},
): FlagSpec<readonly T[]> {
  const initial: readonly T[] = [];
  return custom(description, { type, initial, set: (text, previous) => [...previous, parse(text)], ...extra });
}

const cgroupnsDescription = `Cgroup namespace: host or private
'host':    the one of the engine's host
'private': one of its own
'':        as the daemon's default-cgroupns-mode says (default)`;

/** The flags `run` and `create` share that describe the container's process. */
const processFlags = {
  attach: list('Attach to STDIN, STDOUT or STDERR', { short: 'a', check: checkAttach }),
  domainname: string('NIS domain name of the container'),
  entrypoint: string("Run this instead of the image's ENTRYPOINT"),
  env: list('Set environment variables', { short: 'e', check: (text: string) => checkEnv(text) }),
  'env-file': list('Read environment variables from a file'),
  'group-add': list('Further groups the process belongs to'),
  hostname: string('Host name of the container', { short: 'h' }),
  interactive: bool('Keep STDIN open even if nobody is attached', { short: 'i' }),
  init: bool('Run an init inside that forwards signals and reaps processes'),
  label: list('Set labels of the container', { short: 'l', check: checkLabel }),
  'label-file': list('Read labels from a file, one a line'),
  'stop-signal': string('Signal that stops the container'),
  'stop-timeout': int('Seconds to wait for it to stop before killing it'),
  tty: bool('Allocate a pseudo-TTY', { short: 't' }),
  user: string('Name or UID of the user (format: <name|uid>[:<group|gid>])', { short: 'u' }),
  workdir: string('Working directory inside the container', { short: 'w' }),
} as const;

const networkFlags = {
  'add-host': list('Add a host-to-IP mapping (host:ip)', { check: checkExtraHost }),
  dns: list('DNS servers to use', { check: checkIpAddress }),
  'dns-option': list('DNS options', { aliases: ['dns-opt'] }),
  'dns-search': list('DNS search domains', { check: checkDnsSearch }),
  expose: list('Expose a port or a range of ports'),
  ip: string('IPv4 address (e.g., 172.30.100.104)'),
  ip6: string('IPv6 address (e.g., 2001:db8::33)'),
  link: list('Link to another container', { check: checkLink }),
  'link-local-ip': list('Link-local addresses, IPv4 or IPv6'),
  'mac-address': string('MAC address of the container (e.g., 92:d0:c6:0a:29:33)'),
  network: collected<NetworkAttachment>('Connect to a network', 'network', parseNetwork, { aliases: ['net'] }),
  'network-alias': list('Further name of the container in its network', { aliases: ['net-alias'] }),
  publish: list("Publish a container's port(s) to the host", { short: 'p' }),
  'publish-all': bool('Publish all exposed ports to random ports', { short: 'P' }),
} as const;

const storageFlags = {
  device: list('Give a device of the host to the container'),
  'device-cgroup-rule': list('Add a rule to the devices the cgroup allows', { check: checkDeviceCgroupRule }),
  gpus: collected<DeviceRequest>("GPUs for the container ('all' for all of them)", 'gpu-request', parseGpus),
  'log-driver': string('Logging driver of the container'),
  'log-opt': list('Options of the logging driver'),
  mount: collected<Mount>('Attach a filesystem mount', 'mount', (text) =>
    parseMount(text, (message) => process.stderr.write(`WARNING: ${message}\n`)),
  ),
  'read-only': bool("Mount the container's root filesystem read-only"),
  'shm-size': size('Size of /dev/shm'),
  'storage-opt': list('Options of the storage driver'),
  tmpfs: list('Mount a tmpfs on a directory'),
  volume: list('Bind mount a volume', { short: 'v' }),
  'volume-driver': string('Volume driver to use'),
  'volumes-from': list('Mount the volumes of other containers'),
} as const;

const isolationFlags = {
  annotation: collected<string>('Annotation for the OCI runtime', 'map', (text) => text, { defaultText: 'map[]' }),
  'cap-add': list('Add Linux capabilities'),
  'cap-drop': list('Drop Linux capabilities'),
  'cgroup-parent': string('Parent cgroup of the container'),
  cgroupns: string(cgroupnsDescription),
  ipc: string('IPC namespace'),
  isolation: string('Isolation technology'),
  pid: string('PID namespace'),
  privileged: bool('Give extended privileges to this container'),
  runtime: string('OCI runtime to use'),
  'security-opt': list('Security options'),
  sysctl: collected<string>('Kernel parameters of its namespaces', 'map', checkSysctl, { defaultText: 'map[]' }),
  userns: string('User namespace'),
  uts: string('UTS namespace'),
} as const;

/** A table whose values are the members of `T`. */
export type FlagTable<T> = { readonly [K in keyof T]: FlagSpec<T[K]> };

/** Limits that `update` can change on a running container. */
export interface UpdatableFlags {
  'blkio-weight': number;
  /** Microseconds, as the other CPU times. */
  'cpu-period': number;
  'cpu-quota': number;
  'cpu-rt-period': number;
  'cpu-rt-runtime': number;
  'cpu-shares': number;
  /** Billionths. */
  cpus: number;
  'cpuset-cpus': string;
  'cpuset-mems': string;
  /** Bytes, as the other memory limits. */
  'kernel-memory': number;
  memory: number;
  'memory-reservation': number;
  'memory-swap': number;
  'pids-limit': number;
}

/** Those limits as flags of `run`, `create` and `update`. */
export const updatableFlags: FlagTable<UpdatableFlags> = {
  'blkio-weight': uint16('Block IO weight, between 10 and 1000, or 0 to disable (default 0)'),
  'cpu-period': int('Period of the CPU CFS (Completely Fair Scheduler) in microseconds'),
  'cpu-quota': int('Quota of the CPU CFS (Completely Fair Scheduler) in microseconds'),
  'cpu-rt-period': int('CPU real-time period in microseconds'),
  'cpu-rt-runtime': int('CPU real-time runtime in microseconds'),
  'cpu-shares': int('CPU shares (relative weight)', { short: 'c' }),
  cpus: cpus('Number of CPUs'),
  'cpuset-cpus': string('CPUs it may run on (0-3, 0,1)'),
  'cpuset-mems': string('Memory nodes it may use (0-3, 0,1)'),
  'kernel-memory': custom('Kernel memory limit', { type: 'bytes', initial: 0, set: parseRamBytes, hidden: true }),
  memory: size('Memory limit', 'm'),
  'memory-reservation': size('Memory soft limit'),
  'memory-swap': size('Limit of memory and swap together; -1 for unlimited swap', undefined, parseSwapBytes),
  'pids-limit': int('Most processes it may have (-1 for unlimited)'),
};

const limitFlags = {
  ...updatableFlags,
  'blkio-weight-device': collected('Block IO weight of a device', 'list', parseWeightDevice, { defaultText: '[]' }),
  'cpu-count': int('Number of CPUs (Windows only)', { hidden: true }),
  'cpu-percent': int('CPU percentage (Windows only)', { hidden: true }),
  'device-read-bps': collected('Limit reading from a device (bytes per second)', 'list', parseBpsDevice, {
    defaultText: '[]',
  }),
  'device-read-iops': collected('Limit reading from a device (IO per second)', 'list', parseIopsDevice, {
    defaultText: '[]',
  }),
  'device-write-bps': collected('Limit writing to a device (bytes per second)', 'list', parseBpsDevice, {
    defaultText: '[]',
  }),
  'device-write-iops': collected('Limit writing to a device (IO per second)', 'list', parseIopsDevice, {
    defaultText: '[]',
  }),
  'io-maxbandwidth': custom('Highest IO bandwidth (Windows only)', {
    type: 'bytes',
    initial: 0,
    set: parseRamBytes,
    hidden: true,
  }),
  'io-maxiops': custom('Most IO operations per second (Windows only)', {
    type: 'uint',
    initial: 0,
    set: (text: string) => parseIntText(text, 'ParseUint'),
    hidden: true,
  }),
  'memory-swappiness': int('How eagerly to swap (0 to 100)', { initial: -1 }),
  'oom-kill-disable': bool('Keep the OOM killer away'),
  'oom-score-adj': int("Tune the host's OOM preferences (-1000 to 1000)"),
  ulimit: custom<readonly Ulimit[]>('Ulimit options', {
    type: 'ulimit',
    initial: [],
    set: addUlimit,
    defaultText: '[]',
  }),
} as const;

const lifecycleFlags = {
  cidfile: string('Write the container ID to this file'),
  'disable-content-trust': bool('Skip image verification', { initial: true }),
  'health-cmd': string('Command that checks health'),
  'health-interval': duration('Time between checks (ms|s|m|h) (default 0s)'),
  'health-retries': int('Failures in a row that mean unhealthy'),
  'health-start-interval': duration('Time between checks during the start period (ms|s|m|h) (default 0s)'),
  'health-start-period': duration('Time to start up before failures count (ms|s|m|h) (default 0s)'),
  'health-timeout': duration('Longest time one check may take (ms|s|m|h) (default 0s)'),
  name: string('Name of the container'),
  'no-healthcheck': bool('No health check, whatever the image says'),
  platform: string('Platform, if the server can run several'),
  quiet: bool('Show nothing of a pull', { short: 'q' }),
  restart: string('What to do when the container exits', { initial: 'no' }),
  rm: bool('Remove the container and its anonymous volumes when it exits'),
  'use-api-socket': bool('Give the container the API socket and the credentials for it'),
} as const;

/** What the flags that `run` and `create` share come to. */
export interface ContainerFlags extends UpdatableFlags {
  'add-host': readonly string[];
  annotation: readonly string[];
  attach: readonly string[];
  'blkio-weight-device': readonly WeightDevice[];
  'cap-add': readonly string[];
  'cap-drop': readonly string[];
  'cgroup-parent': string;
  cgroupns: string;
  cidfile: string;
  'cpu-count': number;
  'cpu-percent': number;
  device: readonly string[];
  'device-cgroup-rule': readonly string[];
  'device-read-bps': readonly ThrottleDevice[];
  'device-read-iops': readonly ThrottleDevice[];
  'device-write-bps': readonly ThrottleDevice[];
  'device-write-iops': readonly ThrottleDevice[];
  'disable-content-trust': boolean;
  dns: readonly string[];
  'dns-option': readonly string[];
  'dns-search': readonly string[];
  domainname: string;
  entrypoint: string;
  env: readonly string[];
  'env-file': readonly string[];
  expose: readonly string[];
  gpus: readonly DeviceRequest[];
  'group-add': readonly string[];
  'health-cmd': string;
  /** Nanoseconds, as the other health times. */
  'health-interval': number;
  'health-retries': number;
  'health-start-interval': number;
  'health-start-period': number;
  'health-timeout': number;
  hostname: string;
  init: boolean;
  interactive: boolean;
  'io-maxbandwidth': number;
  'io-maxiops': number;
  ip: string;
  ip6: string;
  ipc: string;
  isolation: string;
  label: readonly string[];
  'label-file': readonly string[];
  link: readonly string[];
  'link-local-ip': readonly string[];
  'log-driver': string;
  'log-opt': readonly string[];
  'mac-address': string;
  'memory-swappiness': number;
  mount: readonly Mount[];
  name: string;
  network: readonly NetworkAttachment[];
  'network-alias': readonly string[];
  'no-healthcheck': boolean;
  'oom-kill-disable': boolean;
  'oom-score-adj': number;
  pid: string;
  platform: string;
  privileged: boolean;
  publish: readonly string[];
  'publish-all': boolean;
  quiet: boolean;
  'read-only': boolean;
  restart: string;
  rm: boolean;
  runtime: string;
  'security-opt': readonly string[];
  'shm-size': number;
  'stop-signal': string;
  'stop-timeout': number;
  'storage-opt': readonly string[];
  sysctl: readonly string[];
  tmpfs: readonly string[];
  tty: boolean;
  ulimit: readonly Ulimit[];
  'use-api-socket': boolean;
  user: string;
  userns: string;
  uts: string;
  volume: readonly string[];
  'volume-driver': string;
  'volumes-from': readonly string[];
  workdir: string;
}

/** The table of the flags that `run` and `create` share. */
export const containerFlags: FlagTable<ContainerFlags> = {
  ...processFlags,
  ...networkFlags,
  ...storageFlags,
  ...isolationFlags,
  ...limitFlags,
  ...lifecycleFlags,
};

/** Says whether a flag stood on the command line. */
export type GivenFlag = (name: Extract<keyof ContainerFlags, string>) => boolean;
