import type { NetworkInspect } from '#spec';
import type { Filters } from '../containers/backend.ts';

/** What the network routes call. `ref` is a name, a full ID or a unique ID prefix. */
export interface NetworksBackend {
  /** Without `Containers` (Docker sends `{}` there). */
  list(filters: Filters): Promise<NetworkInspect[]>;
  /** Removes unused networks; the predefined ones never. */
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>;
  inspect(ref: string, options: { verbose: boolean; scope: string }): Promise<NetworkInspect>;
}
