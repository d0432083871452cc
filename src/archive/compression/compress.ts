import type { Transform } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';

export interface CompressOptions {
  /** gzip 1…9 (default 6), zstd 1…22 (default 3). */
  level?: number;
}

const DEFAULT_GZIP_LEVEL = 6;
const DEFAULT_ZSTD_LEVEL = 3;
const CHUNK_BYTES = 256 * 1024;

/** A stream that compresses what is written to it. The same input gives the same bytes: no name, no time inside. */
export function createCompressor(compression: 'gzip' | 'zstd', options: CompressOptions = {}): Transform {
  if (compression === 'gzip') return createGzip({ level: options.level ?? DEFAULT_GZIP_LEVEL, chunkSize: CHUNK_BYTES });
  const level = options.level ?? DEFAULT_ZSTD_LEVEL;
  return createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    chunkSize: CHUNK_BYTES,
  });
}
