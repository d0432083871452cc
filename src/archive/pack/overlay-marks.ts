import type { BigIntStats } from 'node:fs';

/** The overlay filesystem's own attributes; they mean nothing outside of its layers and are never packed. */
export const OVERLAY_XATTRS = 'trusted.overlay.';
export const OPAQUE_XATTR = 'trusted.overlay.opaque';
/** Marks an empty file as a whiteout, where the kernel cannot use devices (Linux 6.7 on). */
const WHITEOUT_XATTR = 'trusted.overlay.whiteout';
/** A directory or file whose content is elsewhere; the engine's mounts have neither on. */
const REDIRECTIONS = ['trusted.overlay.redirect', 'trusted.overlay.metacopy'];

type Xattrs = ReadonlyMap<string, Buffer>;

/** Whether an entry of an overlay layer says that a name is gone. */
export function isOverlayWhiteout(stat: BigIntStats, xattrs: Xattrs): boolean {
  return (
    (stat.isCharacterDevice() && stat.rdev === 0n) || (stat.isFile() && stat.size === 0n && xattrs.has(WHITEOUT_XATTR))
  );
}

/** Whether a directory of an overlay layer hides what is below it. */
export function isOverlayOpaque(xattrs: Xattrs): boolean {
  return xattrs.get(OPAQUE_XATTR)?.toString('latin1') === 'y';
}

export function isRedirected(xattrs: Xattrs): boolean {
  return REDIRECTIONS.some((name) => xattrs.has(name));
}
