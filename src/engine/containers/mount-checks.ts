import { posix } from 'node:path';
import type { EngineError } from '#errors';
import type { Mount } from '#spec';
import { invalidMountSetting, propagations } from './bind-spec.ts';

function invalidMount(mount: Mount, reason: string): EngineError {
  return invalidMountSetting('INVALID_MOUNT', `invalid mount config for type "${mount.Type}": ${reason}`);
}

const optionOwners = {
  BindOptions: 'bind',
  VolumeOptions: 'volume',
  ImageOptions: 'image',
  TmpfsOptions: 'tmpfs',
} as const;

/**
 * Checks one mount as dockerd does, but for what depends on the host.
 *
 * @throws invalidArgument with Docker's texts.
 */
export function checkMount(mount: Mount): void {
  if (!['bind', 'volume', 'tmpfs', 'image'].includes(mount.Type)) throw invalidMount(mount, 'mount type unknown');
  for (const field of ['BindOptions', 'VolumeOptions', 'ImageOptions', 'TmpfsOptions'] as const) {
    if (mount[field] !== undefined && mount.Type !== optionOwners[field]) {
      throw invalidMount(mount, `field ${field} must not be specified`);
    }
  }
  if (mount.Target === '') throw invalidMount(mount, 'field Target must not be empty');
  if (posix.normalize(mount.Target) === '/') {
    throw invalidMount(mount, "invalid specification: destination can't be '/'");
  }
  checkAbsolute(mount, mount.Target);
  const source = mount.Source ?? '';
  switch (mount.Type) {
    case 'bind':
      checkBind(mount, source);
      return;
    case 'volume':
      checkVolume(mount, source);
      return;
    case 'image':
      if (source === '') throw invalidMount(mount, 'field Source must not be empty');
      checkSubpath(mount, mount.ImageOptions?.Subpath ?? '');
      return;
    default:
      checkTmpfs(mount, source);
  }
}

function checkAbsolute(mount: Mount, path: string): void {
  if (!path.startsWith('/')) throw invalidMount(mount, `invalid mount path: '${path}' mount path must be absolute`);
}

function checkBind(mount: Mount, source: string): void {
  if (source === '') throw invalidMount(mount, 'field Source must not be empty');
  const propagation = mount.BindOptions?.Propagation ?? '';
  if (propagation !== '' && !propagations.has(propagation)) {
    throw invalidMount(mount, `invalid propagation mode: ${propagation}`);
  }
  checkAbsolute(mount, source);
  checkReadOnlyBelow(mount);
}

function checkReadOnlyBelow(mount: Mount): void {
  const options = mount.BindOptions ?? {};
  const { ReadOnlyNonRecursive: no = false, ReadOnlyForceRecursive: forced = false } = options;
  if (!no && !forced) return;
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
}

function checkVolume(mount: Mount, source: string): void {
  const subpath = mount.VolumeOptions?.Subpath ?? '';
  if (subpath !== '' && source === '') throw invalidMount(mount, 'must not set Subpath when using anonymous volumes');
  checkSubpath(mount, subpath);
}

/** Neither absolute nor with more `..` than there are names before. */
function checkSubpath(mount: Mount, subpath: string): void {
  if (subpath === '') return;
  const clean = posix.normalize(subpath);
  if (clean.startsWith('/') || clean === '..' || clean.startsWith('../')) {
    throw invalidMount(mount, 'subpath must be a relative path within the volume');
  }
}

function checkTmpfs(mount: Mount, source: string): void {
  if (source !== '') throw invalidMount(mount, 'field Source must not be specified');
  for (const option of mount.TmpfsOptions?.Options ?? []) {
    if (option.length < 1 || option.length > 2) throw invalidMount(mount, 'invalid option array length');
    if (!['exec', 'noexec'].includes(option[0] ?? '')) throw invalidMount(mount, `invalid option: ${option[0]}`);
  }
}
