import { EngineError } from '#errors';
import { overlaps, parseCidr, type Subnet, subnetSize } from './ipv4.ts';

/** Address space that networks are cut from. */
export interface Pool {
  space: Subnet;
  /** Length of the networks cut from it. */
  prefixLength: number;
}

/** Docker's default address space, cut into networks of a /24 each, so that it meets few routes of the host. */
export const defaultPools: readonly Pool[] = [
  ...Array.from({ length: 15 }, (_, index) => `172.${17 + index}.0.0/16`),
  '192.168.0.0/16',
].map((space) => ({ space: parseCidr(space).subnet, prefixLength: 24 }));

/**
 * The first network of the pools that overlaps none of `taken`.
 *
 * @throws {@link EngineError} invalidArgument when there is none, as dockerd has it.
 */
export function chooseSubnet(pools: readonly Pool[], taken: readonly Subnet[]): Subnet {
  for (const pool of pools) {
    const size = 2 ** (32 - pool.prefixLength);
    const end = pool.space.base + subnetSize(pool.space);
    for (let base = pool.space.base; base < end; base += size) {
      const candidate = { base, prefixLength: pool.prefixLength };
      if (!taken.some((subnet) => overlaps(subnet, candidate))) return candidate;
    }
  }
  throw new EngineError(
    'invalidArgument',
    'NETWORK_POOLS_EXHAUSTED',
    'all predefined address pools have been fully subnetted',
  );
}
