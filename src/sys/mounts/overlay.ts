import { closeSync, constants, openSync } from 'node:fs';
import { hasErrno } from '../errno.ts';
import { closeFd } from '../native/close.ts';
import { MOUNT_ATTR, MS } from './flags.ts';
import { attachMount, configureFilesystem, createFilesystemMount, openFilesystem } from './mount-api.ts';
import { mount } from './mount.ts';
import { fitsOptionString, type OverlayMount, overlayOptionString, upperOptions } from './overlay-options.ts';

const O_PATH = 0o10000000;

/**
 * Mounts an overlay: by mount(2) where its options fit in a page, else layer by layer with fsconfig(2) (`lowerdir+`,
 * Linux 6.8), else by mount(2) with each layer named through an open fd.
 *
 * @throws {@link EngineError} invalidArgument for what overlayfs refuses, over 500 layers among it.
 */
export function mountOverlay(overlay: OverlayMount): void {
  if (fitsOptionString(overlay)) {
    mountByOptions(overlay);
    return;
  }
  try {
    mountByFsconfig(overlay);
  } catch (error) {
    if (!hasErrno(error, 'EINVAL', 'ENOSYS')) throw error;
    mountByDescriptors(overlay);
  }
}

function mountByOptions(overlay: OverlayMount): void {
  mount('overlay', overlay.target, 'overlay', overlay.readOnly ? MS.RDONLY : 0, overlayOptionString(overlay));
}

function mountByFsconfig(overlay: OverlayMount): void {
  const context = openFilesystem('overlay');
  try {
    for (const layer of overlay.lowerDirs) configureFilesystem(context, 'lowerdir+', layer);
    for (const [key, value] of upperOptions(overlay)) configureFilesystem(context, key, value);
    const detached = createFilesystemMount(context, overlay.readOnly ? MOUNT_ATTR.RDONLY : 0);
    try {
      attachMount(detached, overlay.target);
    } finally {
      closeFd(detached);
    }
  } finally {
    closeFd(context);
  }
}

/** The kernel resolves the names while mounting; afterwards the fds are not needed. */
function mountByDescriptors(overlay: OverlayMount): void {
  const fds: number[] = [];
  try {
    for (const layer of overlay.lowerDirs) fds.push(openSync(layer, O_PATH | constants.O_DIRECTORY));
    mountByOptions({ ...overlay, lowerDirs: fds.map((fd) => `/proc/self/fd/${fd}`) });
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}
