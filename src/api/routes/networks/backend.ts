import type { NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest, NetworkInspect } from '#spec';
import type { Filters } from '../containers/backend.ts';

/** What the network routes call. `ref` is a name, a full ID or a unique ID prefix. */
export interface NetworksBackend {
  /** Without `Containers` (Docker sends `{}` there). */
  list(filters: Filters): Promise<NetworkInspect[]>;
  /** Removes unused networks; the predefined ones never. */
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] | null }>;
  inspect(ref: string, options: { verbose: boolean; scope: string }): Promise<NetworkInspect>;
  /** @throws conflict when the name is taken; forbidden for predefined names and addresses in use. */
  create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }>;
  /** @throws forbidden while containers that run are on it, and for the predefined networks. */
  remove(ref: string): Promise<void>;
  /** Makes rules, bridges and cables again that others have removed. */
  repair(): Promise<void>;
  connect(ref: string, request: NetworkConnectRequest): Promise<void>;
  disconnect(ref: string, request: NetworkDisconnectRequest): Promise<void>;
}
