import { invalidArchive } from '../errors.ts';
import { readNumber } from './numeric.ts';
import { BLOCK_BYTES } from './header.ts';

/** Where the stored bytes of a sparse file belong: alternating offsets and lengths, ascending. */
export type SparseMap = readonly number[];

/** Entries of the old GNU header itself and of each extension block that may follow it. */
const OLD_HEADER_ENTRIES = { at: 386, count: 4, extendedFlagAt: 482 };
const OLD_EXTENSION_ENTRIES = { at: 0, count: 21, extendedFlagAt: 504 };
const OLD_REAL_SIZE_AT = 483;

/** Adds the entries of an old GNU sparse header or extension block to `map`; says whether another block follows. */
export function readOldGnuSparse(block: Buffer, offset: number, kind: 'header' | 'extension', map: number[]): boolean {
  const layout = kind === 'header' ? OLD_HEADER_ENTRIES : OLD_EXTENSION_ENTRIES;
  for (let i = 0; i < layout.count; i++) {
    const at = offset + layout.at + i * 24;
    if (block[at] === 0) break;
    map.push(readNumber(block, at, 12, 'sparse offset'), readNumber(block, at + 12, 12, 'sparse length'));
  }
  return block[offset + layout.extendedFlagAt] !== 0;
}

/** The logical size of an old GNU sparse file. */
export function readOldGnuRealSize(block: Buffer, offset: number): number {
  return readNumber(block, offset + OLD_REAL_SIZE_AT, 12, 'sparse size');
}

/**
 * Collects the map that GNU's version 1.0 puts before the file's data: decimal numbers, one a line, padded to whole blocks.
 */
export class SparseMapReader {
  readonly #numbers: number[];
  readonly #maxBytes: number;
  #wanted: number;
  #current: number;
  #digits: number;
  #readBytes: number;

  constructor(maxBytes: number) {
    this.#numbers = [];
    this.#maxBytes = maxBytes;
    this.#wanted = -1;
    this.#current = 0;
    this.#digits = 0;
    this.#readBytes = 0;
  }

  /** Takes one block; says whether the map is complete. */
  push(block: Buffer, offset: number): boolean {
    this.#readBytes += BLOCK_BYTES;
    if (this.#readBytes > this.#maxBytes) throw invalidArchive('the sparse map is too long');
    for (let i = offset; i < offset + BLOCK_BYTES; i++) {
      const byte = block[i] ?? 0;
      if (byte === 0x0a) {
        if (this.#endNumber()) return true;
      } else if (byte >= 0x30 && byte <= 0x39 && this.#digits < 16) {
        this.#current = this.#current * 10 + byte - 0x30;
        this.#digits++;
      } else {
        throw invalidArchive('malformed sparse map');
      }
    }
    return false;
  }

  get map(): number[] {
    return this.#numbers;
  }

  #endNumber(): boolean {
    if (this.#digits === 0) throw invalidArchive('malformed sparse map');
    if (this.#wanted < 0) this.#wanted = this.#current * 2;
    else this.#numbers.push(this.#current);
    this.#current = 0;
    this.#digits = 0;
    return this.#numbers.length === this.#wanted;
  }
}

/**
 * Checks that a map is in order, inside the file, and accounts for every stored byte.
 *
 * @throws {@link EngineError} invalidArgument otherwise.
 */
export function checkSparseMap(map: SparseMap, sizeBytes: number, storedBytes: number): void {
  let position = 0;
  let stored = 0;
  if (map.length % 2 !== 0) throw invalidArchive('malformed sparse map');
  for (let i = 0; i < map.length; i += 2) {
    const start = map[i] ?? 0;
    const length = map[i + 1] ?? 0;
    if (start < position || length < 0 || start + length > sizeBytes)
      throw invalidArchive('the sparse map is out of order');
    position = start + length;
    stored += length;
  }
  if (stored !== storedBytes || sizeBytes < 0) throw invalidArchive('the sparse map does not match the size');
}
