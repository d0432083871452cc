import type { FileHandle } from 'node:fs/promises';
import { isFullRecord } from './cri-parser.ts';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Counts lines from the end of a log, through several files if need be, newest first.
 *
 * A line of the process's may be several records (parts, then a full one); a part at the very end counts as a line.
 */
export class TailCounter {
  readonly #wanted: number;
  #count: number;
  #atEnd: boolean;

  constructor(wanted: number) {
    this.#wanted = wanted;
    this.#count = 0;
    this.#atEnd = true;
  }

  /** Goes back through a file. The offset where the wanted lines begin, or undefined if they begin before this file. */
  async goBack(file: FileHandle): Promise<number | undefined> {
    let position = (await file.stat()).size;
    let pending = Buffer.alloc(0);
    while (position > 0) {
      const length = Math.min(BLOCK_BYTES, position);
      position -= length;
      const block = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(block, 0, length, position);
      if (bytesRead < length) throw new Error('a log file became shorter while it was read');
      const bytes = Buffer.concat([block, pending]);
      const { start, rest } = this.#countRecords(bytes, position === 0);
      if (start !== undefined) return position + start;
      pending = bytes.subarray(0, rest);
    }
    return undefined;
  }

  /** `rest` bytes at the front are a record whose beginning is in the block before. */
  #countRecords(bytes: Buffer, isFirstBlock: boolean): { start?: number; rest: number } {
    let end = bytes.length;
    while (end > 0) {
      const before = end >= 2 ? bytes.lastIndexOf(NEWLINE, end - 2) : -1;
      if (before < 0 && !isFirstBlock) break;
      const full = isFullRecord(bytes, before + 1, end);
      if (full || this.#atEnd) {
        if (this.#count === this.#wanted) return { start: end, rest: 0 };
        this.#count++;
      }
      this.#atEnd = false;
      end = before + 1;
    }
    return { rest: end };
  }
}
