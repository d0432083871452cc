import { attribute, nestedAttribute } from '../netlink/codec.ts';

/** Unlike rtnetlink, nfnetlink has its numbers in network order. */

export function be32Attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return attribute(type, bytes);
}

export function be64Attribute(type: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return attribute(type, bytes);
}

/** A list, which is attributes of one type in another. */
export function listAttribute(type: number, elementType: number, elements: readonly Uint8Array[]): Buffer {
  return nestedAttribute(type, ...elements.map((element) => nestedAttribute(elementType, element)));
}

export function readBe32(value: Buffer | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : value.readUInt32BE(0);
}

export function readSignedBe32(value: Buffer | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : value.readInt32BE(0);
}

export function readBe64(value: Buffer | undefined): bigint | undefined {
  return value === undefined || value.length < 8 ? undefined : value.readBigUInt64BE(0);
}

/** The key of a table of numbers for one of them. */
export function nameOf<T extends string>(
  numbers: Readonly<Record<T, number>>,
  wanted: number | undefined,
): T | undefined {
  return (Object.keys(numbers) as T[]).find((name) => numbers[name] === wanted);
}
