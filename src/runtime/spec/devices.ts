import { EngineError } from '#errors';
import type { DeviceMapping, HostConfig, oci } from '#spec';

/** A device file of the host. */
export interface DeviceNode {
  path: string;
  type: 'b' | 'c';
  major: number;
  minor: number;
  /** Permission bits. */
  fileMode: number;
  uid: number;
  gid: number;
}

/** Looking at the host's device files. */
export interface HostDevices {
  /** The device at a path, links followed; undefined if there is none. */
  lookup(path: string): DeviceNode | undefined;
  /** The devices below a directory, links not followed; empty if it is none. */
  list(directory: string): DeviceNode[];
}

/** What every container may use: null, zero, full, random, urandom, tty, console; its terminals the runtime adds. */
const DEFAULT_RULES: readonly oci.RuntimeDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
];

/** Directories of /dev that are file systems of the host's own. */
const HOST_ONLY = ['/dev/pts', '/dev/shm', '/dev/fd', '/dev/mqueue', '/dev/.lxc', '/dev/.lxd-mounts', '/dev/.udev'];

/**
 * Device files and cgroup rules of a container.
 *
 * @throws invalidArgument for a mapping that is no device, or a malformed rule.
 */
export function buildDevices(
  host: Pick<HostConfig, 'Devices' | 'DeviceCgroupRules' | 'Privileged'>,
  hostDevices: HostDevices,
): { devices: oci.RuntimeDevice[]; rules: oci.RuntimeDeviceRule[] } {
  const mapped = (host.Devices ?? []).flatMap((mapping) => mapDevice(mapping, hostDevices));
  if (host.Privileged) {
    const own = hostDevices.list('/dev').filter((device) => isForContainers(device.path));
    const paths = new Set(own.map((device) => device.path));
    const more = mapped.filter(({ device }) => !paths.has(device.path));
    return {
      devices: [...own.map(toRuntimeDevice), ...more.map(({ device }) => toRuntimeDevice(device))],
      rules: [{ allow: true, access: 'rwm' }],
    };
  }
  return {
    devices: mapped.map(({ device }) => toRuntimeDevice(device)),
    rules: [
      ...DEFAULT_RULES,
      ...mapped.map(({ device: { type, major, minor }, access }) => ({ allow: true, type, major, minor, access })),
      ...(host.DeviceCgroupRules ?? []).map(parseRule),
    ],
  };
}

function isForContainers(path: string): boolean {
  return (
    path !== '/dev/console' && !HOST_ONLY.some((directory) => path === directory || path.startsWith(`${directory}/`))
  );
}

interface MappedDevice {
  device: DeviceNode;
  access: string;
}

function mapDevice(mapping: DeviceMapping, hostDevices: HostDevices): MappedDevice[] {
  const { PathOnHost: from, CgroupPermissions } = mapping;
  const to = mapping.PathInContainer === '' ? from : mapping.PathInContainer;
  const access = CgroupPermissions === '' ? 'rwm' : CgroupPermissions;
  const device = hostDevices.lookup(from);
  if (device) return [{ device: { ...device, path: to }, access }];
  const inside = hostDevices.list(from);
  if (inside.length === 0) {
    throw new EngineError(
      'invalidArgument',
      'NOT_A_DEVICE',
      `error gathering device information while adding custom device ${JSON.stringify(from)}: not a device node`,
    );
  }
  return inside.map((found) => ({ device: { ...found, path: to + found.path.slice(from.length) }, access }));
}

function toRuntimeDevice(device: DeviceNode): oci.RuntimeDevice {
  const { path, type, major, minor, fileMode, uid, gid } = device;
  return { path, type, major, minor, fileMode, uid, gid };
}

function parseRule(rule: string): oci.RuntimeDeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(rule);
  if (!match) {
    throw new EngineError('invalidArgument', 'INVALID_DEVICE_RULE', `invalid device cgroup rule format: '${rule}'`);
  }
  const [, type = 'a', major = '*', minor = '*', access = ''] = match;
  const number = (text: string): number => (text === '*' ? -1 : Number(text));
  return { allow: true, type, major: number(major), minor: number(minor), access };
}
