export { BlobStore } from './blob-store.ts';
export { BlobWriter, type IngestedFile } from './blob-writer.ts';
