import { EngineError } from '#errors';
import type { CgroupFeatures } from '#runtime';
import type { ContainerConfig, HostConfig, LogConfig, oci } from '#spec';
import { checkLogTemplates } from './log-attributes.ts';
import { checkLogConfig, mergeLogConfig } from './log-config.ts';
import { checkPorts } from './ports.ts';
import { checkResources } from './resource-checks.ts';
import { checkRestartPolicy, checkSettings } from './setting-checks.ts';

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}

/**
 * A container's config: what the user gave, filled up from the image as Docker does. The user's entrypoint drops the
 * image's command; environment and labels merge, the user's winning; exposed ports and volumes unite.
 */
export function mergeImageConfig(user: ContainerConfig, image: oci.RunConfig | undefined): ContainerConfig {
  const base = image ?? {};
  const merged: ContainerConfig = { ...user };
  if (user.User === '') merged.User = base.User ?? '';
  if (user.WorkingDir === '') merged.WorkingDir = base.WorkingDir ?? '';
  if ((user.Entrypoint ?? []).length === 0) {
    if ((user.Cmd ?? []).length === 0) merged.Cmd = base.Cmd ?? null;
    // `--entrypoint ""` arrives as [""] and clears the image's.
    if (user.Entrypoint === null || user.Entrypoint.length === 0) merged.Entrypoint = base.Entrypoint ?? null;
  } else if (user.Entrypoint?.length === 1 && user.Entrypoint[0] === '') {
    merged.Entrypoint = null;
  }
  merged.Env = mergeEnv(base.Env ?? [], user.Env ?? []);
  merged.Labels = { ...base.Labels, ...user.Labels };
  const exposed = { ...base.ExposedPorts, ...user.ExposedPorts };
  if (Object.keys(exposed).length > 0) merged.ExposedPorts = exposed;
  const volumes = { ...base.Volumes, ...user.Volumes };
  merged.Volumes = Object.keys(volumes).length > 0 ? volumes : null;
  if (!user.StopSignal && base.StopSignal) merged.StopSignal = base.StopSignal;
  if (user.StopTimeout === undefined && base.StopTimeout !== undefined) merged.StopTimeout = base.StopTimeout;
  if (user.Shell === undefined && base.Shell !== undefined) merged.Shell = base.Shell;
  const health = mergeHealthcheck(user.Healthcheck, base.Healthcheck);
  if (health) merged.Healthcheck = health;
  return merged;
}

function mergeHealthcheck(
  user: ContainerConfig['Healthcheck'],
  image: oci.RunConfig['Healthcheck'],
): ContainerConfig['Healthcheck'] {
  if (!user || !image) return user ?? image;
  const own = Object.entries(user).filter(
    ([, value]) => !(value === 0 || (Array.isArray(value) && value.length === 0)),
  );
  return { ...image, ...Object.fromEntries(own) };
}

function mergeEnv(image: readonly string[], user: readonly string[]): string[] {
  const keyOf = (entry: string): string => entry.split('=', 1)[0] ?? entry;
  const own = new Set(user.map(keyOf));
  return [...user, ...image.filter((entry) => !own.has(keyOf(entry)))];
}

/**
 * What a container runs: `Path` and `Args` of its inspect.
 *
 * @throws invalidArgument when there is no command.
 */
export function commandOf(config: ContainerConfig): { path: string; args: string[] } {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (path === undefined) throw invalid('NO_COMMAND', 'no command specified');
  return { path, args };
}

/**
 * Checks and fills defaults as dockerd does at create: the network mode, log driver, shm size, runtime, cgroup namespace.
 *
 * @throws invalidArgument with Docker's texts for impossible combinations.
 */
export function normalizeHostConfig(
  input: HostConfig,
  config: ContainerConfig,
  defaults: HostDefaults,
): { host: HostConfig; warnings: string[] } {
  const host: HostConfig = { ...input };
  if (host.NetworkMode === '' || host.NetworkMode === 'default') host.NetworkMode = 'bridge';
  if (config.NetworkDisabled) host.NetworkMode = 'none';
  host.LogConfig = mergeLogConfig(host.LogConfig, defaults.log);
  if (host.ShmSize === 0) host.ShmSize = 64 * 1024 * 1024;
  if (host.ShmSize < 0) throw invalid('INVALID_SHM_SIZE', 'SHM size can not be less than 0');
  if (host.Memory > 0 && host.MemorySwap === 0) host.MemorySwap = 2 * host.Memory;
  if (host.IpcMode === '') host.IpcMode = 'private';
  if (host.CgroupnsMode === '')
    host.CgroupnsMode = host.Privileged || defaults.features.version === 1 ? 'host' : 'private';
  if (host.RestartPolicy.Name === '')
    host.RestartPolicy = { Name: 'no', MaximumRetryCount: host.RestartPolicy.MaximumRetryCount };
  host.MaskedPaths ??= host.Privileged ? null : [...defaults.maskedPaths];
  host.ReadonlyPaths ??= host.Privileged ? null : [...defaults.readonlyPaths];
  if (host.Runtime && !defaults.runtimes.includes(host.Runtime)) {
    throw invalid('UNKNOWN_RUNTIME', `unknown or invalid runtime name: ${host.Runtime}`);
  }
  checkCgroupParent(host, defaults.systemdCgroups);
  checkHostConfig(host, config);
  checkSettings(host, config, defaults.capabilities);
  const warnings = checkResources(host, defaults.features, false);
  if (host.NetworkMode === 'host' && Object.keys(host.PortBindings ?? {}).length > 0) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  refuseUnsupported(host);
  return { host, warnings };
}

function checkCgroupParent({ CgroupParent }: HostConfig, systemdCgroups: boolean): void {
  if (!systemdCgroups || CgroupParent === '' || isSlice(CgroupParent)) return;
  throw invalid(
    'INVALID_CGROUP_PARENT',
    'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
  );
}

function isSlice(name: string): boolean {
  return name === '-.slice' || /^[\w.@\\]+(-[\w.@\\]+)*\.slice$/.test(name);
}

export interface HostDefaults {
  features: CgroupFeatures;
  /** A cgroup parent must be a slice then. */
  systemdCgroups: boolean;
  /** Those this host has. */
  capabilities: readonly string[];
  /** For containers that do not say otherwise. */
  log: LogConfig;
  /** Names of the runtimes there are. */
  runtimes: readonly string[];
  maskedPaths: readonly string[];
  readonlyPaths: readonly string[];
}

/** What a container that joins another's network, or the host's, may not ask for (runconfig's conflicts). */
function checkNetworkConflicts(host: HostConfig, config: ContainerConfig): void {
  const joins = host.NetworkMode.startsWith('container:');
  const netSysctl = Object.keys(host.Sysctls ?? {}).find((name) => name.startsWith('net.'));
  const conflicts: [boolean, string][] = [
    [host.UTSMode === 'host' && config.Hostname !== '', 'conflicting options: hostname and the UTS mode'],
    [joins && config.Hostname !== '', 'conflicting options: hostname and the network mode'],
    [joins && (host.Dns ?? []).length > 0, 'conflicting options: dns and the network mode'],
    [
      joins && (host.ExtraHosts ?? []).length > 0,
      'conflicting options: custom host-to-IP mapping and the network mode',
    ],
    [joins && (config.MacAddress ?? '') !== '', 'conflicting options: mac-address and the network mode'],
    [
      joins && (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts),
      'conflicting options: port publishing and the container type network mode',
    ],
    [
      host.NetworkMode === 'host' && netSysctl !== undefined,
      `sysctl "${netSysctl}" not allowed in host network namespace`,
    ],
  ];
  const first = conflicts.find(([present]) => present);
  if (first) throw invalid('CONFLICTING_OPTIONS', first[1]);
}

const namespaceModes: [keyof HostConfig & `${string}Mode`, RegExp, string][] = [
  ['IpcMode', /^(private|shareable|none|host|container:.+)$/, 'invalid IPC mode'],
  ['PidMode', /^(|host|container:.+)$/, 'invalid PID mode'],
  ['UTSMode', /^(|host)$/, 'invalid UTS mode'],
  ['CgroupnsMode', /^(private|host)$/, 'invalid cgroup namespace mode'],
];

function checkNamespaceModes(host: HostConfig): void {
  for (const [key, pattern, problem] of namespaceModes) {
    if (!pattern.test(host[key])) throw invalid('INVALID_NAMESPACE_MODE', `${problem}: ${host[key]}`);
  }
}

const minimumHealthDurationNs = 1_000_000;

function checkHealthcheck(health: ContainerConfig['Healthcheck']): void {
  if (!health) return;
  const refuse = (key: string, problem: string): never => {
    throw invalid('INVALID_HEALTHCHECK', `${key} in Healthcheck cannot be ${problem}`);
  };
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = health[key] ?? 0;
    if (value !== 0 && value < minimumHealthDurationNs) refuse(key, 'less than 1ms');
  }
  if ((health.Retries ?? 0) < 0) refuse('Retries', 'negative');
}

function checkHostConfig(host: HostConfig, config: ContainerConfig): void {
  checkNetworkConflicts(host, config);
  checkNamespaceModes(host);
  checkLogConfig(host.LogConfig);
  checkLogTemplates(host.LogConfig.Config);
  checkHealthcheck(config.Healthcheck);
  checkRestartPolicy(host.RestartPolicy);
  if (host.AutoRemove && host.RestartPolicy.Name !== 'no') {
    throw invalid('AUTOREMOVE_WITH_RESTART', "can't create 'AutoRemove' container with restart policy");
  }
  if (config.WorkingDir !== '' && !config.WorkingDir.startsWith('/')) {
    throw invalid(
      'INVALID_WORKING_DIR',
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  if (config.StopSignal && !isKnownSignal(config.StopSignal)) {
    throw invalid('INVALID_STOP_SIGNAL', `Invalid signal: ${config.StopSignal}`);
  }
  checkPorts(host);
}

/** Whether `text` names a signal: a number, `TERM`, `SIGTERM`, `RTMIN+3`. */
export function isKnownSignal(text: string): boolean {
  return signalNumber(text) !== undefined;
}

const names =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const aliases: Record<string, number> = { IOT: 6, POLL: 29, CLD: 17 };

/** The number of a signal given by number or name, as Docker parses it; undefined if there is none. See signal(7). */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= 64 ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const index = names.indexOf(name);
  if (index >= 0) return index + 1;
  if (aliases[name] !== undefined) return aliases[name];
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!realtime) return undefined;
  const offset = Number(realtime[3] ?? 0);
  const number = realtime[1] === 'MIN' ? 34 + offset : 64 - offset;
  return number >= 34 && number <= 64 ? number : undefined;
}

/**
 * Refuses what this engine cannot do yet, naming it: a setting that is accepted and ignored would be worse.
 *
 * @throws notImplemented.
 */
export function refuseUnsupported(host: HostConfig): void {
  const unsupported: [boolean, string][] = [
    [(host.Links ?? []).length > 0, 'legacy links (--link)'],
    [(host.DeviceRequests ?? []).length > 0, 'device requests (--gpus)'],
  ];
  const first = unsupported.find(([present]) => present);
  if (first) throw new EngineError('notImplemented', 'SETTING_NOT_IMPLEMENTED', `${first[1]}: not implemented yet`);
}
