export type {
  ArchiveLimits,
  ContainerView,
  ListChangesOptions,
  LookUpOptions,
  MatchOptions,
  PackOptions,
  PathInfo,
  SelectedPath,
  SelectOptions,
  TreeChange,
  UnpackOptions,
  UnpackResult,
  ViewMount,
} from './contract.ts';
export { createCompressor, type CompressOptions } from './compression/compress.ts';
export { decompress, type ByteSource } from './compression/decompress.ts';
export { detectCompression, MAGIC_BYTES, type Compression } from './compression/detect.ts';
export { encodeHeader } from './tar/encode-header.ts';
export { MAX_ID, type TarEntryType, type TarHeader, type TarHeaderInit } from './tar/header.ts';
export { DEFAULT_LIMITS } from './tar/limits.ts';
export { TarParser, type TarHandler } from './tar/parser.ts';
export { readTar, type ReadTarOptions, type TarEntry } from './tar/read-tar.ts';
export { createTarWriter, type TarBody, type TarWriter } from './tar/writer.ts';
export { listChanges } from './changes/list-changes.ts';
export { LowerLayers, type LowerEntry } from './changes/lower-layers.ts';
export { packTree } from './pack/pack-tree.ts';
export { applyMode, parseMode, type ModeChange } from './select/chmod.ts';
export { matchSources, selectTree } from './select/select-tree.ts';
export { lookUp, resolveInView } from './view/look-up.ts';
export { unpack } from './unpack/unpack.ts';
export { closeArchiveWorkers, warmUpUnpacking } from './workers/pools.ts';
