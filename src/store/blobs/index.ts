export { BlobStore } from './blob-store.ts';
export { BlobWriter, type IngestedFile, type WrittenSoFar } from './blob-writer.ts';
