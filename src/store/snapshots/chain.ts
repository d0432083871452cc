import { createHash } from 'node:crypto';
import type { ChainId, Digest } from '#spec';

/** The ID of `diffId` stacked on `parent` (OCI image-spec, "Layer ChainID"). */
export function chainIdOf(parent: ChainId | undefined, diffId: Digest): ChainId {
  if (parent === undefined) return diffId as string as ChainId;
  return `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}` as string as ChainId;
}
