import type { VolumeCreateRequest, VolumeInspect, VolumeListResponse } from '#spec';
import type { Filters } from '../containers/backend.ts';

/** What the volume routes call. */
export interface VolumesBackend {
  list(filters: Filters): Promise<VolumeListResponse>;
  inspect(name: string): Promise<VolumeInspect>;
  /** The volume of that name, made if it is not there. */
  create(request: VolumeCreateRequest): Promise<VolumeInspect>;
  /** @throws conflict when a container uses it; notFound, unless `force`. */
  remove(name: string, options: { force: boolean }): Promise<void>;
  /** Removes unused volumes: the anonymous ones, with the filter `all` every one. */
  prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
}
