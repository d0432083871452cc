import { BLOCK_BYTES } from './header.ts';

/** Fields of a header block by hand, for archives that no writer of ours would make. */
export interface BlockFields {
  name?: string | Buffer;
  mode?: string;
  uid?: string | Buffer;
  size?: number | Buffer;
  mtime?: string | Buffer;
  flag?: string;
  link?: string;
  magic?: string;
  prefix?: string;
  /** Written last before the checksum, at their offsets. */
  raw?: readonly (readonly [number, string | Buffer])[];
}

/** One header block with a right checksum. */
export function headerBlock(fields: BlockFields): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const put = (offset: number, value: string | Buffer): void => {
    (typeof value === 'string' ? Buffer.from(value, 'latin1') : value).copy(block, offset);
  };
  put(0, fields.name ?? 'file');
  put(100, fields.mode ?? '0000644\0');
  put(108, fields.uid ?? '0000000\0');
  put(116, '0000000\0');
  put(124, typeof fields.size === 'object' ? fields.size : `${(fields.size ?? 0).toString(8).padStart(11, '0')}\0`);
  put(136, fields.mtime ?? '00000000000\0');
  put(156, fields.flag ?? '0');
  put(157, fields.link ?? '');
  put(257, fields.magic ?? 'ustar\x0000');
  put(345, fields.prefix ?? '');
  for (const [offset, value] of fields.raw ?? []) put(offset, value);
  put(148, '        ');
  let sum = 0;
  for (const byte of block) sum += byte;
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** `bytes` filled up to whole blocks. */
export function padded(bytes: string | Buffer): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([content, Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)]);
}

/** An extension header (`x`, `g`, `L`, `K`) with its body. */
export function extension(flag: string, body: string | Buffer): Buffer {
  const content = Buffer.from(body);
  return Buffer.concat([headerBlock({ name: 'extension', flag, size: content.length }), padded(content)]);
}

export const END: Buffer = Buffer.alloc(2 * BLOCK_BYTES);
