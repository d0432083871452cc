/** Wire shapes of Docker's volumes, API 1.51. */

/** Answer of `GET /volumes/{name}` and one row of `GET /volumes`. */
export interface VolumeInspect {
  CreatedAt: string;
  Driver: string;
  Labels: Record<string, string> | null;
  Mountpoint: string;
  Name: string;
  Options: Record<string, string> | null;
  Scope: 'local' | 'global';
  Status?: Record<string, unknown>;
  /** Sent by `/system/df` only; -1 where unknown. */
  UsageData?: { Size: number; RefCount: number };
}

/** Body of `POST /volumes/create`. */
export interface VolumeCreateRequest {
  /** Empty: one is made up. */
  Name: string;
  /** Empty means `local`. */
  Driver: string;
  DriverOpts: Record<string, string> | null;
  Labels: Record<string, string> | null;
}

/** Answer of `GET /volumes`. */
export interface VolumeListResponse {
  Volumes: VolumeInspect[] | null;
  Warnings: string[] | null;
}
