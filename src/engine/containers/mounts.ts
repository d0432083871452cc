import { posix } from 'node:path';
import { EngineError } from '#errors';
import type { HostConfig, Mount, MountPoint } from '#spec';
import { invalidMountSetting, invalidSpec, parseBindSpec } from './bind-spec.ts';
import { checkMount } from './mount-checks.ts';
import type { PlannedMount } from './record.ts';

/** What {@link planMounts} needs to know. */
export interface MountPlanInput {
  hostConfig: HostConfig;
  /** `Volumes` of the container's config, the image's merged in. */
  volumes: readonly string[];
  /** The mounts of the containers named in `VolumesFrom`, in that order. */
  inherited: readonly { mounts: readonly PlannedMount[]; readOnly: boolean }[];
  /** Makes the name of an anonymous volume. */
  newVolumeName(): string;
}

/**
 * Decides every mount of a new container: those of other containers (`VolumesFrom`), over them binds and volumes (`Binds`)
 * and `Mounts`, and an anonymous volume for each image volume that nothing else covers. Which driver a volume is of, and
 * where, is still open then.
 *
 * @throws invalidArgument with Docker's text: a bad specification, a target that is not absolute, two mounts on one target.
 */
export function planMounts(input: MountPlanInput): PlannedMount[] {
  const { hostConfig: host } = input;
  const planned = new Map<string, PlannedMount>();
  for (const { mounts, readOnly } of input.inherited) {
    for (const mount of mounts) planned.set(mount.point.Destination, inherit(mount, readOnly));
  }
  const tmpfs = new Set(Object.keys(host.Tmpfs ?? {}).map(cleanTarget));
  const taken = new Set<string>();
  const add = (mount: PlannedMount, name: string): void => {
    const target = mount.point.Destination;
    if (taken.has(target)) throw duplicate(name);
    taken.add(target);
    planned.set(target, mount);
  };
  for (const spec of host.Binds ?? []) {
    const mount = planBind(spec, input);
    if (tmpfs.has(mount.point.Destination)) throw duplicate(mount.point.Destination);
    add(mount, mount.point.Destination);
  }
  for (const mount of host.Mounts ?? []) {
    checkMount(mount);
    add(planMount(mount, input), mount.Target);
  }
  for (const target of tmpfs) if (!taken.has(target)) planned.delete(target);
  for (const target of input.volumes) {
    const mount = planImageVolume(target, input);
    const { Destination: clean } = mount.point;
    if (!planned.has(clean) && !tmpfs.has(clean)) planned.set(clean, mount);
  }
  return [...planned.values()];
}

function duplicate(target: string): EngineError {
  return invalidMountSetting('DUPLICATE_MOUNT_POINT', `Duplicate mount point: ${target}`);
}

function inherit(mount: PlannedMount, readOnly: boolean): PlannedMount {
  const point = { ...mount.point, Mode: '', RW: mount.point.RW && !readOnly };
  return { ...mount, point, copyUp: false, readOnlyBelow: mount.point.RW ? undefined : mount.readOnlyBelow };
}

function cleanTarget(target: string): string {
  return posix.normalize(target).replace(/(?<=.)\/+$/, '');
}

function planBind(spec: string, input: MountPlanInput): PlannedMount {
  const { mount, mode } = parseBindSpec(spec, input.hostConfig.VolumeDriver);
  try {
    checkMount(mount);
  } catch (error) {
    throw error instanceof EngineError ? invalidSpec(spec, error.message) : error;
  }
  const planned = planMount(mount, input);
  planned.point.Mode = mode;
  planned.createSource = mount.Type === 'bind';
  return planned;
}

/** An image's or the config's `Volumes`: named by their target alone. */
function planImageVolume(target: string, input: MountPlanInput): PlannedMount {
  const mount: Mount = { Type: 'volume', Target: target };
  if (!target.startsWith('/')) {
    throw invalidSpec(
      target,
      `invalid mount config for type "volume": invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  checkMount(mount);
  return { ...planVolume(mount, input), volumeDriver: input.hostConfig.VolumeDriver };
}

function planMount(mount: Mount, input: MountPlanInput): PlannedMount {
  switch (mount.Type) {
    case 'bind':
      return planBindMount(mount);
    case 'volume':
      return planVolume(mount, input);
    case 'image':
      return planImage(mount);
    default:
      return planTmpfs(mount);
  }
}

function common(mount: Mount, point: Omit<MountPoint, 'Destination' | 'Mode' | 'RW' | 'Type'>): PlannedMount {
  const { Type } = mount;
  return {
    point: { Type, ...point, Destination: cleanTarget(mount.Target), Mode: '', RW: !(mount.ReadOnly ?? false) },
    createSource: false,
    copyUp: false,
    recursive: true,
    tmpfsOptions: [],
  };
}

function planVolume(mount: Mount, input: MountPlanInput): PlannedMount {
  const { VolumeOptions: options = {} } = mount;
  const name = mount.Source || input.newVolumeName();
  return {
    ...common(mount, { Name: name, Source: '', Driver: '', Propagation: '' }),
    copyUp: !(options.NoCopy ?? false),
    volumeLabels: options.Labels,
    volumeDriver: options.DriverConfig?.Name ?? '',
    volumeOptions: options.DriverConfig?.Options,
    subpath: options.Subpath || undefined,
  };
}

function planImage(mount: Mount): PlannedMount {
  const planned = common(mount, { Name: mount.Source ?? '', Source: '', Propagation: 'rprivate' });
  planned.point.RW = false;
  return { ...planned, subpath: mount.ImageOptions?.Subpath || undefined };
}

function planBindMount(mount: Mount): PlannedMount {
  const { BindOptions: options = {} } = mount;
  const Source = posix.normalize(mount.Source ?? '');
  const below = options.ReadOnlyNonRecursive ? 'no' : options.ReadOnlyForceRecursive ? 'forced' : undefined;
  return {
    ...common(mount, { Source, Propagation: options.Propagation || 'rprivate' }),
    createSource: options.CreateMountpoint ?? false,
    recursive: !(options.NonRecursive ?? false),
    ...(below && { readOnlyBelow: below }),
  };
}

function planTmpfs(mount: Mount): PlannedMount {
  const options = ['noexec', 'nosuid', 'nodev', mount.ReadOnly ? 'ro' : 'rw'];
  const { SizeBytes: size = 0, Mode: mode = 0 } = mount.TmpfsOptions ?? {};
  if (size > 0) options.push(`size=${size}`);
  if (mode > 0) options.push(`mode=${mode.toString(8)}`);
  for (const [key = '', value] of mount.TmpfsOptions?.Options ?? []) {
    options.push(value === undefined ? key : `${key}=${value}`);
  }
  return { ...common(mount, { Source: '', Propagation: '' }), tmpfsOptions: options };
}
