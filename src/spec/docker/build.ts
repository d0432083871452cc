/** One result that builds may use again, in `GET /system/df`. */
export interface BuildCacheEntry {
  ID: string;
  Parents?: string[];
  /** `regular`, `source.local`, `exec.cachemount`, … */
  Type: string;
  Description: string;
  /** A build works with it. */
  InUse: boolean;
  /** An image has its layer. */
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt: string | null;
  UsageCount: number;
}

/** Answer of `POST /build/prune`. */
export interface PruneBuildCacheResponse {
  CachesDeleted: string[] | null;
  SpaceReclaimed: number;
}
