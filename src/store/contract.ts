import type { ChainId, Digest, oci } from '#spec';

/** An image as the engine sees it: one platform's config and layers. */
export interface StoredImage {
  /** Digest of the config blob. */
  id: Digest;
  config: oci.ImageConfig;
  /** Chain of the topmost layer; undefined for an image without layers. */
  chainId: ChainId | undefined;
  /** Sum of the layers' unpacked sizes. */
  sizeBytes: number;
}

/** A container's own writable layer, by the container's ID. */
export interface ContainerLayers {
  /** Makes the directories of a writable layer over `parent`. Repeatable. */
  create(containerId: string, parent: ChainId | undefined): Promise<void>;
  /**
   * Mounts it (if it is not) and answers the merged directory. `volatile` skips syncing; for containers that go with their data. `bare`:
   * without the mount points that a runtime needs, for those who look at the files or change them without a container.
   */
  mount(containerId: string, options: { volatile: boolean; bare?: boolean }): Promise<string>;
  /** Unmounts it if mounted. */
  unmount(containerId: string): Promise<void>;
  /** Unmounts it and removes its directories. Repeatable. */
  remove(containerId: string): Promise<void>;
  /** Bytes in the writable layer. */
  usageBytes(containerId: string): Promise<number>;
  /** The upper directory: what the container changed. */
  upperDir(containerId: string): string;
  /** Docker's `GraphDriver.Data` for inspect: LowerDir, UpperDir, WorkDir, MergedDir. */
  graphDriverData(containerId: string): Record<string, string>;
  /** IDs of all containers that have a layer; for reconciling. */
  list(): string[];
  /** The further layers of a container: those whose names are its ID, a dot and something. */
  listOf(containerId: string): string[];
}
