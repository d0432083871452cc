export {
  openDatabase,
  storeMigrations,
  type Database,
  type Migration,
  type Row,
  type Statement,
} from './meta/index.ts';
export { BlobStore, BlobWriter, type IngestedFile, type WrittenSoFar } from './blobs/index.ts';
export {
  type ImageLayer,
  type ImageRecord,
  type ImageRecords,
  type IndexEntry,
  type IndexEntryKind,
  type IndexRecords,
  type KeptManifest,
  type Target,
} from './images/index.ts';
export { type Lease, type Leases } from './leases/leases.ts';
export { chainIdOf, type Layer, type LayerStore, type Unpack, type UnpackedLayer } from './snapshots/index.ts';
export { openStore, Store, type StoreOptions } from './store.ts';
export type { FsckOptions, FsckReport } from './fsck/fsck.ts';
export type { Collected } from './gc/collect.ts';
export type { ContainerLayers, StoredImage } from './contract.ts';
export { removeTree } from './files/remove-tree.ts';
