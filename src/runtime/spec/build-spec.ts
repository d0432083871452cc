import { posix } from 'node:path';
import type { ContainerConfig, HostConfig, oci } from '#spec';
import { resolveSeccomp } from '../seccomp/index.ts';
import { resolveCapabilities } from './capabilities.ts';
import { buildDevices, type HostDevices } from './devices.ts';
import { buildEnvironment, withHome } from './environment.ts';
import type { HostFacts } from './host-facts.ts';
import { buildMounts, rootPropagation, type SpecMount, tmpfsMounts } from './mounts.ts';
import { buildNamespaces, type NamespaceChoices } from './namespaces.ts';
import { defaultMaskedPaths, defaultReadonlyPaths } from './paths.ts';
import { buildResources } from './resources.ts';
import { buildRlimits } from './rlimits.ts';
import { parseSecurityOptions, type SecurityOptions } from './security-options.ts';
import { buildSysctls } from './sysctls.ts';
import { checkWorkingDirectory } from './working-directory.ts';

const INIT_IN_CONTAINER = '/sbin/docker-init';
const DEFAULT_CGROUP_PARENT = '/berth';
const DEFAULT_SLICE = 'system.slice';
const SCOPE_PREFIX = 'berth';

/** A user as {@link resolveUser} finds it. */
export interface ResolvedUser extends oci.RuntimeUser {
  home: string;
}

export interface SpecInput {
  containerId: string;
  /** Mounted root file system. */
  rootfsPath: string;
  /** With the image's values merged in. */
  config: ContainerConfig;
  hostConfig: HostConfig;
  /** Program and arguments. */
  args: readonly string[];
  user: ResolvedUser;
  /** Binds, volumes, and the engine's own files; `HostConfig.Tmpfs` comes by itself. */
  mounts: readonly SpecMount[];
  namespaces: NamespaceChoices;
  /** For `--init`: an init program on the host. Only used when the container has a pid namespace of its own. */
  initPath: string | undefined;
  facts: HostFacts;
  devices: HostDevices;
}

/** The runtime's configuration of a container, by Docker's rules. Pure. @throws invalidArgument with Docker's texts. */
export function buildSpec(input: SpecInput): oci.RuntimeSpec {
  const { config, hostConfig: host, facts, namespaces } = input;
  const security = parseSecurityOptions(host.SecurityOpt ?? []);
  const capabilities = resolveCapabilities({
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    privileged: host.Privileged,
    available: facts.capabilities,
  });
  const usesInit = input.initPath !== undefined && namespaces.pid === 'new';
  const mounts = [...input.mounts, ...tmpfsMounts(host.Tmpfs ?? {}), ...(usesInit ? [initMount(input.initPath)] : [])];
  return {
    ociVersion: '1.0.2',
    process: buildProcess(input, capabilities, security, usesInit),
    root: { path: input.rootfsPath, readonly: host.ReadonlyRootfs },
    ...(namespaces.uts === 'host' ? {} : { hostname: config.Hostname }),
    mounts: buildMounts({
      mounts,
      shmSizeBytes: host.ShmSize > 0 ? host.ShmSize : 64 * 1024 * 1024,
      withoutShm: host.IpcMode === 'none',
      readOnlyRoot: host.ReadonlyRootfs,
      privileged: host.Privileged,
      writableCgroups: security.writableCgroups ?? host.Privileged,
      recursiveReadOnly: isKernelAtLeast(facts, 5, 12),
    }),
    ...annotations(input),
    linux: buildLinux(input, mounts, capabilities, security),
  };
}

function buildProcess(
  { config, hostConfig: host, user, args, facts }: SpecInput,
  capabilities: string[],
  security: SecurityOptions,
  usesInit: boolean,
): oci.RuntimeProcess {
  const [height, width] = host.ConsoleSize;
  const rlimits = buildRlimits(host.Ulimits ?? [], facts.rlimits, facts.capabilities.includes('CAP_SYS_RESOURCE'));
  return {
    terminal: config.Tty,
    ...(config.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: usesInit ? [INIT_IN_CONTAINER, '--', ...args] : [...args],
    env: withHome(buildEnvironment({ env: config.Env ?? [], hostname: config.Hostname, tty: config.Tty }), user.home),
    cwd: checkWorkingDirectory(config.WorkingDir),
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(rlimits.length > 0 ? { rlimits } : {}),
    noNewPrivileges: security.noNewPrivileges,
    ...apparmor(security, facts),
    oomScoreAdj: host.OomScoreAdj,
  };
}

function annotations({ hostConfig: { Annotations }, facts }: SpecInput): Pick<oci.RuntimeSpec, 'annotations'> {
  // Without it crun makes a group of its own in the scope, where neither systemd's nor our numbers are those of the limits.
  const own = facts.systemdCgroups ? { 'run.oci.systemd.subgroup': '' } : undefined;
  return own || Annotations ? { annotations: { ...Annotations, ...own } } : {};
}

/** Only profiles asked for by name: we bring none of our own. */
function apparmor({ apparmorProfile }: SecurityOptions, facts: HostFacts): { apparmorProfile?: string } {
  return facts.apparmor && apparmorProfile !== undefined && apparmorProfile !== '' ? { apparmorProfile } : {};
}

function buildLinux(
  input: SpecInput,
  mounts: readonly SpecMount[],
  capabilities: readonly string[],
  security: SecurityOptions,
): oci.RuntimeLinux {
  const { config, hostConfig: host, namespaces, facts } = input;
  const { devices, rules } = buildDevices(host, input.devices);
  const propagation = rootPropagation(mounts);
  const sysctl = buildSysctls(config, host, namespaces);
  const target = { arch: facts.arch, kernel: facts.kernel, capabilities };
  const seccomp = facts.seccomp ? resolveSeccomp(security.seccompProfile, host.Privileged, target) : undefined;
  return {
    namespaces: buildNamespaces(namespaces),
    devices,
    cgroupsPath: cgroupsPath(input),
    resources: { devices: rules, ...buildResources(host, facts.cgroup, (path) => input.devices.lookup(path)) },
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(Object.keys(sysctl).length > 0 ? { sysctl } : {}),
    maskedPaths: maskedOr(host.MaskedPaths, defaultMaskedPaths, host.Privileged),
    readonlyPaths: maskedOr(host.ReadonlyPaths, defaultReadonlyPaths, host.Privileged),
  };
}

function maskedOr(own: readonly string[] | null, defaults: readonly string[], privileged: boolean): string[] {
  return [...(own ?? (privileged ? [] : defaults))];
}

/** Where a container's cgroup is: a path, or what systemd calls a scope in a slice. */
export function cgroupsPath(input: Pick<SpecInput, 'containerId' | 'hostConfig' | 'facts'>): string {
  const { containerId, hostConfig, facts } = input;
  if (facts.systemdCgroups) return `${hostConfig.CgroupParent || DEFAULT_SLICE}:${SCOPE_PREFIX}:${containerId}`;
  // Made absolute first, so that no `..` leads above the root.
  return posix.join('/', hostConfig.CgroupParent || DEFAULT_CGROUP_PARENT, containerId);
}

/**
 * The directory below each hierarchy's root that {@link cgroupsPath} means: systemd puts the scope `berth-<id>.scope`
 * into a slice, and the slice `a-b.slice` is below `a.slice`.
 */
export function cgroupDirectory(cgroupsPathText: string): string {
  if (cgroupsPathText.startsWith('/')) return cgroupsPathText;
  const [slice = '', prefix = '', id = ''] = cgroupsPathText.split(':');
  const parts = slice.replace(/\.slice$/, '').split('-');
  const slices = slice === '-.slice' ? [] : parts.map((_part, index) => `${parts.slice(0, index + 1).join('-')}.slice`);
  return posix.join('/', ...slices, `${prefix}-${id}.scope`);
}

function initMount(source = ''): SpecMount {
  return {
    type: 'bind',
    source,
    destination: INIT_IN_CONTAINER,
    readOnly: true,
    propagation: 'rprivate',
    recursive: false,
    tmpfsOptions: [],
  };
}

function isKernelAtLeast({ kernel: [major, minor] }: HostFacts, wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
