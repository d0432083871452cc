import { posix } from 'node:path';
import { EngineError } from '#errors';
import type { HostConfig, Mount, MountPoint } from '#spec';
import type { PlannedMount } from './record.ts';

const propagations = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);

function invalid(code: string, message: string): EngineError {
  return new EngineError('invalidArgument', code, message);
}

function invalidSpec(spec: string, reason?: string): EngineError {
  return invalid(
    'INVALID_VOLUME_SPEC',
    `invalid volume specification: '${spec}'${reason === undefined ? '' : `: ${reason}`}`,
  );
}

/** What {@link planMounts} needs to know. */
export interface MountPlanInput {
  hostConfig: HostConfig;
  /** `Volumes` of the container's config, the image's merged in. */
  volumes: readonly string[];
  /** Makes the name of an anonymous volume. */
  newVolumeName(): string;
  /** Host directory of a volume. */
  volumePath(name: string): string;
}

/**
 * Decides every mount of a new container: binds and volumes (`Binds`), `Mounts`, and an anonymous volume for each
 * image volume that nothing else covers.
 *
 * @throws invalidArgument with Docker's text: a bad specification, a target that is not absolute, two mounts on one target.
 */
export function planMounts(input: MountPlanInput): PlannedMount[] {
  const planned: PlannedMount[] = [];
  const targets = new Set<string>();
  const add = (mount: PlannedMount): void => {
    const target = mount.point.Destination;
    if (targets.has(target)) throw invalid('DUPLICATE_MOUNT_POINT', `Duplicate mount point: ${target}`);
    targets.add(target);
    planned.push(mount);
  };
  for (const spec of input.hostConfig.Binds ?? []) add(planBind(spec, input));
  for (const mount of input.hostConfig.Mounts ?? []) add(planMount(mount, input));
  for (const target of Object.keys(input.hostConfig.Tmpfs ?? {})) targets.add(cleanTarget(target, target));
  for (const volume of input.volumes) {
    const target = cleanTarget(volume, volume);
    if (!targets.has(target)) add(volumeMount(input.newVolumeName(), target, '', input));
  }
  return planned;
}

function cleanTarget(target: string, spec: string): string {
  if (!target.startsWith('/')) {
    throw invalid(
      'INVALID_MOUNT_PATH',
      `invalid volume specification: '${spec}': invalid mount config for type "volume": invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  const clean = posix.normalize(target).replace(/(?<=.)\/+$/, '');
  if (clean === '/') throw invalidSpec(spec, "invalid specification: destination can't be '/'");
  return clean;
}

interface BindOptions {
  mode: string;
  readOnly: boolean;
  propagation: string;
  noCopy: boolean;
  recursive: boolean;
}

const plainOptions = new Set(['rw', 'z', 'Z', 'consistent', 'cached', 'delegated', 'volume-nocopy', 'bind', 'rbind']);

function parseOptions(text: string, spec: string): BindOptions {
  const options: BindOptions = { mode: text, readOnly: false, propagation: '', noCopy: false, recursive: true };
  for (const word of text === '' ? [] : text.split(',')) {
    if (word === 'ro') options.readOnly = true;
    else if (word === 'nocopy') options.noCopy = true;
    else if (word === 'bind') options.recursive = false;
    else if (propagations.has(word)) options.propagation = word;
    else if (!plainOptions.has(word)) throw invalid('INVALID_MOUNT_MODE', `invalid mode: ${text}`);
  }
  if (text.split(',').includes('ro') && text.split(',').includes('rw')) throw invalidSpec(spec);
  return options;
}

function planBind(spec: string, input: MountPlanInput): PlannedMount {
  const parts = spec.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length > 3 || first === '') throw invalidSpec(spec);
  if (parts.length === 1) return volumeMount(input.newVolumeName(), cleanTarget(first, spec), '', input);
  // Of two parts the second may be the options of an anonymous volume (`/data:ro`).
  const options = parseOptions(third, spec);
  if (second === '') throw invalidSpec(spec, 'invalid empty volume spec');
  const target = cleanTarget(second, spec);
  if (!first.startsWith('/')) {
    checkVolumeName(first);
    const mount = volumeMount(first, target, options.mode, input);
    mount.copyUp = !options.noCopy;
    mount.point.RW = !options.readOnly;
    return mount;
  }
  return {
    point: {
      Type: 'bind',
      Source: posix.normalize(first),
      Destination: target,
      Mode: options.mode,
      RW: !options.readOnly,
      Propagation: options.propagation === '' ? 'rprivate' : options.propagation,
    },
    createSource: true,
    copyUp: false,
    recursive: options.recursive,
    tmpfsOptions: [],
  };
}

/** @throws invalidArgument with Docker's text. */
export function checkVolumeName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return;
  throw invalid(
    'INVALID_VOLUME_NAME',
    name.length === 1
      ? 'volume name is too short, names should be at least two alphanumeric characters'
      : `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

function volumeMount(name: string, target: string, mode: string, input: MountPlanInput): PlannedMount {
  const point: MountPoint = {
    Type: 'volume',
    Name: name,
    Source: input.volumePath(name),
    Destination: target,
    Driver: 'local',
    Mode: mode,
    RW: true,
    Propagation: '',
  };
  return { point, createSource: false, copyUp: true, recursive: true, tmpfsOptions: [] };
}

function invalidMount(mount: Mount, reason: string): EngineError {
  return invalid('INVALID_MOUNT', `invalid mount config for type "${mount.Type}": ${reason}`);
}

function planMount(mount: Mount, input: MountPlanInput): PlannedMount {
  if (mount.Target === '') throw invalidMount(mount, 'field Target must not be empty');
  if (!mount.Target.startsWith('/')) {
    throw invalidMount(mount, `invalid mount path: '${mount.Target}' mount path must be absolute`);
  }
  const target = cleanTarget(mount.Target, mount.Target);
  const readOnly = mount.ReadOnly ?? false;
  switch (mount.Type) {
    case 'bind':
      return planBindMount(mount, target, readOnly);
    case 'volume': {
      if (mount.VolumeOptions?.Subpath) throw unsupported('volume subpaths');
      refuseDriver(mount);
      const name = mount.Source ?? '';
      if (name !== '') checkVolumeName(name);
      const planned = volumeMount(name === '' ? input.newVolumeName() : name, target, 'z', input);
      planned.point.RW = !readOnly;
      planned.copyUp = !(mount.VolumeOptions?.NoCopy ?? false);
      planned.volumeLabels = mount.VolumeOptions?.Labels;
      return planned;
    }
    case 'tmpfs':
      return planTmpfs(mount, target, readOnly);
    case 'image':
      throw unsupported('mounts of type "image"');
    default:
      throw invalid('INVALID_MOUNT', `mount type unknown: "${mount.Type}"`);
  }
}

function refuseDriver({ VolumeOptions: { DriverConfig: driver } = {} }: Mount): void {
  const { Name: name = '', Options: options } = driver ?? {};
  if (!['', 'local'].includes(name)) throw unsupported(`volumes of the driver ${name}`);
  if (Object.keys(options ?? {}).length > 0) throw unsupported('options of volume drivers');
}

function unsupported(what: string): EngineError {
  return new EngineError('notImplemented', 'MOUNT_NOT_IMPLEMENTED', `${what} are not implemented yet`);
}

function planBindMount(mount: Mount, target: string, readOnly: boolean): PlannedMount {
  const source = mount.Source ?? '';
  if (source === '') throw invalidMount(mount, 'field Source must not be empty');
  if (!source.startsWith('/')) throw invalidMount(mount, `invalid mount path: '${source}' mount path must be absolute`);
  if (mount.VolumeOptions) throw invalidMount(mount, 'field VolumeOptions must not be specified');
  const propagation = mount.BindOptions?.Propagation ?? '';
  if (propagation !== '' && !propagations.has(propagation)) {
    throw invalidMount(mount, `invalid propagation mode: ${propagation}`);
  }
  return {
    point: {
      Type: 'bind',
      Source: posix.normalize(source),
      Destination: target,
      Mode: '',
      RW: !readOnly,
      Propagation: propagation === '' ? 'rprivate' : propagation,
    },
    createSource: mount.BindOptions?.CreateMountpoint ?? false,
    copyUp: false,
    recursive: !(mount.BindOptions?.NonRecursive ?? false),
    ...readOnlyBelow(mount),
    tmpfsOptions: [],
  };
}

function readOnlyBelow({ BindOptions: options = {}, ...mount }: Mount): Pick<PlannedMount, 'readOnlyBelow'> {
  const { ReadOnlyNonRecursive: no = false, ReadOnlyForceRecursive: forced = false } = options;
  if (!no && !forced) return {};
  const name = no ? 'ReadOnlyNonRecursive' : 'ReadOnlyForceRecursive';
  if (mount.ReadOnly !== true) throw invalidMount(mount, `mount options conflict: ${name} && !ReadOnly`);
  if (no && forced) {
    throw invalidMount(mount, 'mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive');
  }
  if (forced && options.NonRecursive === true) {
    throw invalidMount(mount, 'mount options conflict: ReadOnlyForceRecursive && NonRecursive');
  }
  const { Propagation: propagation = '' } = options;
  if (forced && propagation !== '' && propagation !== 'rprivate') {
    throw invalidMount(mount, 'mount options conflict: ReadOnlyForceRecursive requires Propagation to be rprivate');
  }
  return { readOnlyBelow: no ? 'no' : 'forced' };
}

function planTmpfs(mount: Mount, target: string, readOnly: boolean): PlannedMount {
  if ((mount.Source ?? '') !== '') throw invalidMount(mount, 'field Source must not be specified');
  const options = ['noexec', 'nosuid', 'nodev', readOnly ? 'ro' : 'rw'];
  const { SizeBytes: size = 0, Mode: mode = 0 } = mount.TmpfsOptions ?? {};
  if (size > 0) options.push(`size=${size}`);
  if (mode > 0) options.push(`mode=${mode.toString(8)}`);
  for (const [key = '', value] of mount.TmpfsOptions?.Options ?? []) {
    options.push(value === undefined ? key : `${key}=${value}`);
  }
  return {
    point: { Type: 'tmpfs', Source: '', Destination: target, Mode: '', RW: !readOnly, Propagation: '' },
    createSource: false,
    copyUp: false,
    recursive: true,
    tmpfsOptions: options,
  };
}
