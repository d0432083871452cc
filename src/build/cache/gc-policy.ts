/** What the cache may hold, checked after each build. Bytes; undefined for no such limit. */
export interface GcPolicy {
  /** Also what images share. */
  readonly all: boolean;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** This much stays in any case. */
  readonly reservedBytes: number | undefined;
  /** More than this never stays. */
  readonly maxUsedBytes: number | undefined;
  /** This much of the disk is to be free. */
  readonly minFreeBytes: number | undefined;
}

/** The disk as it is. */
export interface DiskState {
  readonly cacheBytes: number;
  readonly freeBytes: number;
}

/**
 * How much a policy leaves of the cache; undefined when it has nothing to say now.
 *
 * @see BuildKit's gc policies
 */
export function bytesToKeep(
  { reservedBytes, maxUsedBytes, minFreeBytes }: Pick<GcPolicy, 'reservedBytes' | 'maxUsedBytes' | 'minFreeBytes'>,
  { cacheBytes, freeBytes }: DiskState,
): number | undefined {
  if (maxUsedBytes === undefined && minFreeBytes === undefined) return reservedBytes ?? 0;
  const limits: number[] = [];
  if (maxUsedBytes !== undefined && cacheBytes > maxUsedBytes) limits.push(maxUsedBytes);
  if (minFreeBytes !== undefined && freeBytes < minFreeBytes) limits.push(cacheBytes - (minFreeBytes - freeBytes));
  return limits.length === 0 ? undefined : Math.max(reservedBytes ?? 0, Math.min(...limits));
}

const RESERVED_SHARE = 0.1;
const MAX_USED_SHARE = 0.6;
const MIN_FREE_SHARE = 0.2;

/** What is kept where nothing is configured: old things go when the disk becomes short, what images share last. */
export function defaultPolicies(diskBytes: number): GcPolicy[] {
  const limits = {
    reservedBytes: Math.floor(diskBytes * RESERVED_SHARE),
    maxUsedBytes: Math.floor(diskBytes * MAX_USED_SHARE),
    minFreeBytes: Math.floor(diskBytes * MIN_FREE_SHARE),
  };
  return [
    { all: false, filters: new Map([['unused-for', ['1440h']]]), ...limits },
    { all: false, filters: new Map(), ...limits },
    { all: true, filters: new Map(), ...limits },
  ];
}
