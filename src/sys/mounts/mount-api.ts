import { check } from '../errno.ts';
import { type Pointer, systemCall } from '../native/koffi.ts';
import { type FilePath, cPath } from '../native/path.ts';
import { words64 } from '../native/struct.ts';
import { AT } from './flags.ts';

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

const sysOpenTree = systemCall<[number, Pointer, number]>(428, ['int', 'const char *', 'uint']);
const sysMoveMount = systemCall<[number, Pointer, number, Pointer, number]>(429, [
  'int',
  'const char *',
  'int',
  'const char *',
  'uint',
]);
const sysFsopen = systemCall<[Pointer, number]>(430, ['const char *', 'uint']);
const sysFsconfig = systemCall<[number, number, Pointer, Pointer, number]>(431, [
  'int',
  'uint',
  'const char *',
  'const char *',
  'int',
]);
const sysFsmount = systemCall<[number, number, number]>(432, ['int', 'uint', 'uint']);
const sysMountSetattr = systemCall<[number, Pointer, number, Pointer, number]>(442, [
  'int',
  'const char *',
  'uint',
  'const void *',
  'size_t',
]);

/** fsopen(2): a context for a new filesystem instance. The caller closes the fd. */
export function openFilesystem(fsType: string): number {
  return check(sysFsopen(fsType, FSOPEN_CLOEXEC), 'fsopen', fsType);
}

/** fsconfig(2) with a string value of at most 255 bytes, or a flag when there is no value. */
export function configureFilesystem(contextFd: number, key: string, value?: string): void {
  const command = value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
  check(sysFsconfig(contextFd, command, key, value ?? null, 0), 'fsconfig', key, value ?? '');
}

/** Creates the configured filesystem and answers an fd of its detached mount. The caller closes it. */
export function createFilesystemMount(contextFd: number, attributes: number): number {
  check(sysFsconfig(contextFd, FSCONFIG_CMD_CREATE, null, null, 0), 'fsconfig', 'create');
  return check(sysFsmount(contextFd, FSMOUNT_CLOEXEC, attributes), 'fsmount');
}

/** Attaches a detached mount (of `openTree` with CLONE, or of `createFilesystemMount`) at `target`, a path or an open fd. */
export function attachMount(mountFd: number, target: string | number): void {
  const result =
    typeof target === 'number'
      ? sysMoveMount(mountFd, '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
      : sysMoveMount(mountFd, '', AT.FDCWD, cPath(target), MOVE_MOUNT_F_EMPTY_PATH);
  check(result, 'move_mount', target);
}

/** open_tree(2). The caller closes the fd; closing an unattached clone unmounts it. */
export function openTree(path: FilePath, flags: number, directoryFd: number = AT.FDCWD): number {
  return check(sysOpenTree(directoryFd, cPath(path), flags), 'open_tree', path);
}

export interface MountAttributes {
  /** `MOUNT_ATTR` bits to set. */
  set?: number;
  /** `MOUNT_ATTR` bits to clear. */
  clear?: number;
  propagation?: number;
  /** With `MOUNT_ATTR.IDMAP` in `set`: fd of the user namespace whose map applies. */
  userNamespaceFd?: number;
  recursive?: boolean;
}

/**
 * mount_setattr(2) on a path, or on a mount's own fd.
 *
 * @throws {@link EngineError} notImplemented before Linux 5.12; invalidArgument where a filesystem has no id-mapping.
 */
export function setMountAttributes(target: FilePath | number, attributes: MountAttributes): void {
  const attr = words64(
    attributes.set ?? 0,
    attributes.clear ?? 0,
    attributes.propagation ?? 0,
    attributes.userNamespaceFd ?? 0,
  );
  const recursive = attributes.recursive === true ? AT.RECURSIVE : 0;
  const result =
    typeof target === 'number'
      ? sysMountSetattr(target, '', AT.EMPTY_PATH | recursive, attr, attr.length)
      : sysMountSetattr(AT.FDCWD, cPath(target), recursive, attr, attr.length);
  check(result, 'mount_setattr', target);
}
