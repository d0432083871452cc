export { ImageRecords, type ImageLayer, type ImageRecord, type Target } from './image-records.ts';
export { IndexRecords, type IndexEntry, type IndexEntryKind, type KeptManifest } from './index-records.ts';
