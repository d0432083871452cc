import type { VolumeInspect, VolumeListResponse } from '#spec';
import type { Filters } from '../containers/backend.ts';

/** What the volume routes call. */
export interface VolumesBackend {
  list(filters: Filters): Promise<VolumeListResponse>;
  inspect(name: string): Promise<VolumeInspect>;
}
