/**
 * Structures go to the kernel as buffers. Both supported architectures (x86_64, aarch64) are little-endian with 64-bit
 * longs and pointers, and every structure used in this module has the same layout on both.
 *
 * @returns a buffer of 64-bit words.
 */
export function words64(...values: readonly (number | bigint)[]): Buffer {
  const buffer = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), index * 8);
  return buffer;
}
