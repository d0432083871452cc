export { BuildCacheRecords, type BuildCacheRecord } from './build-cache-records.ts';
