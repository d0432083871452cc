export type Compression = 'plain' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** As many first bytes as {@link detectCompression} looks at. */
export const MAGIC_BYTES = 6;

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Tells the compression from the first bytes; what is not recognised counts as plain. */
export function detectCompression(head: Uint8Array): Compression {
  for (const [compression, magic] of MAGICS) {
    if (magic.every((byte, i) => head[i] === byte)) return compression;
  }
  return isSkippableZstdFrame(head) ? 'zstd' : 'plain';
}

/** Some writers (pzstd) put a skippable frame first: 50…5f 2a 4d 18. */
function isSkippableZstdFrame(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}
