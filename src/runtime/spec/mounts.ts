import type { oci } from '#spec';

/** A bind mount or tmpfs that the user, an image or the engine wants. */
export interface SpecMount {
  type: 'bind' | 'tmpfs';
  /** Host path; unused for a tmpfs. */
  source: string;
  /** Absolute and clean. */
  destination: string;
  readOnly: boolean;
  /** `rprivate` and so on; empty means that. */
  propagation: string;
  /** Mounts below the source come along. */
  recursive: boolean;
  /** With `readOnly`: mounts below the source stay writable. */
  readOnlyNonRecursive?: boolean | undefined;
  /** For a bind: what else it forbids (`noexec`); runtimes do not take that over from the source. */
  restrictions?: readonly string[] | undefined;
  /** More options for a tmpfs, as `mount -o` takes them. */
  tmpfsOptions: readonly string[];
}

export interface MountsInput {
  mounts: readonly SpecMount[];
  shmSizeBytes: number;
  /** No `/dev/shm` at all. */
  withoutShm: boolean;
  readOnlyRoot: boolean;
  privileged: boolean;
  writableCgroups: boolean;
  /** Whether kernel and runtime can make whole mount trees read-only (`rro`). */
  recursiveReadOnly: boolean;
}

/**
 * Every mount of a container: Docker's defaults, less those the user mounts over, then the user's, parents first.
 */
export function buildMounts(input: MountsInput): oci.RuntimeMount[] {
  const wanted = sortByDepth(input.mounts);
  const userTargets = new Set(wanted.map((mount) => mount.destination));
  const overDev = userTargets.has('/dev');
  const defaults = defaultMounts(input).filter(
    ({ destination }) => !userTargets.has(destination) && !(overDev && destination.startsWith('/dev/')),
  );
  const mounts = [
    ...defaults,
    ...wanted.map((mount) => (mount.type === 'tmpfs' ? tmpfsMount(mount) : bindMount(mount, input.recursiveReadOnly))),
  ];
  return input.readOnlyRoot ? mounts.map((mount) => readOnlyUnlessTheirs(mount, userTargets)) : mounts;
}

function defaultMounts(input: MountsInput): oci.RuntimeMount[] {
  const readOnlyUnless = (writable: boolean): string[] => (writable ? [] : ['ro']);
  const shm = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${input.shmSizeBytes}`];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', ...readOnlyUnless(input.privileged)],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...readOnlyUnless(input.writableCgroups), 'nosuid', 'noexec', 'nodev'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    ...(input.withoutShm ? [] : [{ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: shm }]),
  ];
}

/** A directory is mounted before what is mounted inside it. */
function sortByDepth(mounts: readonly SpecMount[]): SpecMount[] {
  const depth = (mount: SpecMount): number => mount.destination.split('/').filter((part) => part !== '').length;
  return [...mounts].sort((a, b) => depth(a) - depth(b));
}

function bindMount(mount: SpecMount, recursiveReadOnly: boolean): oci.RuntimeMount {
  const wholeTree = mount.recursive && recursiveReadOnly && mount.readOnlyNonRecursive !== true;
  const readOnly = mount.readOnly ? [wholeTree ? 'rro' : 'ro'] : [];
  return {
    destination: mount.destination,
    type: 'bind',
    source: mount.source,
    options: [
      mount.recursive ? 'rbind' : 'bind',
      ...readOnly,
      ...(mount.restrictions ?? []),
      mount.propagation || 'rprivate',
    ],
  };
}

function tmpfsMount(mount: SpecMount): oci.RuntimeMount {
  const options = mergeTmpfsOptions(['noexec', 'nosuid', 'nodev', 'rprivate', ...mount.tmpfsOptions]);
  return {
    destination: mount.destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: mount.readOnly && !options.includes('ro') ? [...options, 'ro'] : options,
  };
}

const OPPOSITES: readonly (readonly [string, string])[] = [
  ['ro', 'rw'],
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['sync', 'async'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
  ['mand', 'nomand'],
];

/** Of contradicting options the last counts, and so it does of a key given twice (`size=`). */
function mergeTmpfsOptions(options: readonly string[]): string[] {
  const kept = new Map<string, string>();
  for (const option of options) {
    const opposites = OPPOSITES.find((pair) => pair.includes(option));
    const key = opposites ? opposites[0] : (option.split('=')[0] ?? option);
    kept.delete(key);
    kept.set(key, option);
  }
  return [...kept.values()];
}

/** With a read-only root the engine's own mounts are too, except where programs cannot live without writing. */
function readOnlyUnlessTheirs(mount: oci.RuntimeMount, userTargets: ReadonlySet<string>): oci.RuntimeMount {
  const writable = ['/proc', '/dev/pts', '/dev/shm', '/dev/mqueue', '/dev'];
  if (writable.includes(mount.destination) || userTargets.has(mount.destination) || mount.options.includes('ro')) {
    return mount;
  }
  return { ...mount, options: [...mount.options, 'ro'] };
}

/** How the container's root must be tied to the host's mounts for what its binds ask. */
export function rootPropagation(mounts: readonly SpecMount[]): string | undefined {
  const asked = new Set(mounts.map((mount) => mount.propagation));
  if (asked.has('shared') || asked.has('rshared')) return 'shared';
  if (asked.has('slave') || asked.has('rslave')) return 'rslave';
  return undefined;
}

/** `HostConfig.Tmpfs` (`--tmpfs /path:options`) as mounts. */
export function tmpfsMounts(tmpfs: Readonly<Record<string, string>>): SpecMount[] {
  return Object.entries(tmpfs).map(([destination, options]) => ({
    type: 'tmpfs',
    source: 'tmpfs',
    destination,
    readOnly: false,
    propagation: '',
    recursive: false,
    tmpfsOptions: options === '' ? [] : options.split(','),
  }));
}
