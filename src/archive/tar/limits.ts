import type { ArchiveLimits } from '../contract.ts';

/**
 * Limits where the caller names none: far beyond real images, near enough to stop an archive that means harm.
 * The header limit is the one Go's reader, and so Docker, has.
 */
export const DEFAULT_LIMITS: Readonly<ArchiveLimits> = {
  maxEntries: 10_000_000,
  maxUnpackedBytes: 2 ** 40,
  maxHeaderBytes: 2 ** 20,
};

export function completeLimits(limits: Partial<ArchiveLimits> | undefined): ArchiveLimits {
  return { ...DEFAULT_LIMITS, ...limits };
}
