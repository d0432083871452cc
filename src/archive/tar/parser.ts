import type { ArchiveLimits } from '../contract.ts';
import { archiveLimit, invalidArchive, truncatedArchive } from '../errors.ts';
import { decodeHeader, isZeroBlock, type RawHeader } from './decode-header.ts';
import { BLOCK_BYTES, type TarHeader } from './header.ts';
import { completeLimits } from './limits.ts';
import { parsePax, type PaxRecords } from './pax.ts';
import { resolveHeader } from './resolve-header.ts';
import { checkSparseMap, readOldGnuRealSize, readOldGnuSparse, type SparseMap, SparseMapReader } from './sparse.ts';
import { decodeText, encodeText } from './text.ts';

/** Gets an archive's entries in order, synchronously; what it throws stops the parser. */
export interface TarHandler {
  entry(header: TarHeader): void;
  /**
   * `chunk[start, start+length)` is the file's content at `position`. Called in order, never overlapping, and not for the
   * holes of a sparse file. The bytes belong to the caller of `push`: copy them to keep them.
   */
  data(chunk: Buffer, start: number, length: number, position: number): void;
  /** The entry of the last `entry` call is complete. */
  entryEnd(): void;
}

/** What the next whole block is. */
type Expect = 'header' | 'sparseExtension' | 'sparseMap' | 'secondZero';
type State = 'block' | 'meta' | 'data' | 'padding' | 'trailer';

/** Bytes from the end of the content to the next block. */
function paddingOf(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

const DENSE: SparseMap = [];

/**
 * Reads a tar archive pushed at it in chunks of any size: v7, ustar, PAX (global headers too), GNU and star,
 * sparse files of all GNU versions.
 *
 * It follows Go's reader, and so Docker, where the dialects disagree; unlike that one it applies global PAX headers, as
 * POSIX and GNU tar do, and refuses bytes after the end of the archive that are not zeros.
 *
 * @see pax(1) of POSIX.1-2017; tar(5) of libarchive; "Basic Tar Format" in GNU tar's manual
 */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: ArchiveLimits;
  readonly #block: Buffer;
  #blockFill: number;
  #state: State;
  #expect: Expect;

  #meta: Buffer;
  #metaFill: number;
  #metaFlag: string;
  #globalMetaBytes: number;
  #localMetaBytes: number;
  #globalPax: PaxRecords | undefined;
  #localPax: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  #header: TarHeader | undefined;
  #remaining: number;
  #padding: number;
  #sparse: SparseMap;
  #sparseIndex: number;
  #sparseReader: SparseMapReader | undefined;
  #oldSparse: number[];
  #position: number;

  #entries: number;
  #unpackedBytes: number;

  constructor(handler: TarHandler, limits?: Partial<ArchiveLimits>) {
    this.#handler = handler;
    this.#limits = completeLimits(limits);
    this.#block = Buffer.alloc(BLOCK_BYTES);
    this.#blockFill = 0;
    this.#state = 'block';
    this.#expect = 'header';
    this.#meta = this.#block;
    this.#metaFill = 0;
    this.#metaFlag = '';
    this.#globalMetaBytes = 0;
    this.#localMetaBytes = 0;
    this.#remaining = 0;
    this.#padding = 0;
    this.#sparse = DENSE;
    this.#sparseIndex = 0;
    this.#oldSparse = [];
    this.#position = 0;
    this.#entries = 0;
    this.#unpackedBytes = 0;
  }

  /** Entries seen so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Sum of the files' logical sizes so far, a symlink's being its text's, as dockerd counts them. */
  get unpackedBytes(): number {
    return this.#unpackedBytes;
  }

  /** @throws {@link EngineError} invalidArgument when the archive is malformed or beyond the limits. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'block':
          at = this.#takeBlock(chunk, at);
          break;
        case 'data':
          at = this.#takeData(chunk, at);
          break;
        case 'padding': {
          const skipped = Math.min(this.#padding, chunk.length - at);
          this.#padding -= skipped;
          at += skipped;
          if (this.#padding === 0) this.#state = 'block';
          break;
        }
        case 'meta':
          at = this.#takeMeta(chunk, at);
          break;
        case 'trailer':
          for (; at < chunk.length; at++) if (chunk[at] !== 0) throw invalidArchive('trailing garbage after the end');
      }
    }
  }

  /**
   * Says that no more bytes come. An archive without its two closing zero blocks is accepted if it ends between entries, also without the
   * last one's padding: Docker's CLI sends such when it puts a Dockerfile from standard input into a context.
   *
   * @throws {@link EngineError} invalidArgument (`unexpected EOF`) when it ends anywhere else.
   */
  end(): void {
    if (this.#state === 'trailer') return;
    if (this.#header) throw truncatedArchive(`inside ${JSON.stringify(this.#header.name)}`);
    const isWhole = this.#state === 'padding' || (this.#state === 'block' && this.#blockFill === 0);
    if (!isWhole) throw truncatedArchive('inside a header');
    if (this.#localPax ?? this.#longName ?? this.#longLink) throw truncatedArchive('after an extension header');
  }

  #takeBlock(chunk: Buffer, at: number): number {
    if (this.#blockFill === 0 && chunk.length - at >= BLOCK_BYTES) {
      this.#onBlock(chunk, at);
      return at + BLOCK_BYTES;
    }
    const taken = Math.min(BLOCK_BYTES - this.#blockFill, chunk.length - at);
    chunk.copy(this.#block, this.#blockFill, at, at + taken);
    this.#blockFill += taken;
    if (this.#blockFill === BLOCK_BYTES) {
      this.#blockFill = 0;
      this.#onBlock(this.#block, 0);
    }
    return at + taken;
  }

  #onBlock(block: Buffer, offset: number): void {
    switch (this.#expect) {
      case 'header':
        if (block[offset] === 0 && isZeroBlock(block, offset)) this.#onZeroBlock();
        else this.#onHeader(block, offset);
        return;
      case 'secondZero':
        if (!isZeroBlock(block, offset)) throw invalidArchive('a lone zero block');
        this.#state = 'trailer';
        return;
      case 'sparseExtension':
        this.#onSparseExtension(block, offset);
        return;
      case 'sparseMap':
        this.#onSparseMap(block, offset);
    }
  }

  #onZeroBlock(): void {
    if (this.#localPax ?? this.#longName ?? this.#longLink) throw truncatedArchive('after an extension header');
    this.#expect = 'secondZero';
  }

  #onHeader(block: Buffer, offset: number): void {
    const raw = decodeHeader(block, offset);
    switch (raw.typeFlag) {
      case 'x':
      case 'X':
      case 'g':
      case 'L':
      case 'K':
        this.#startMeta(raw);
        return;
      default:
        this.#startEntry(raw, block, offset);
    }
  }

  #startMeta(raw: RawHeader): void {
    this.#countMeta(raw);
    this.#metaFlag = raw.typeFlag;
    this.#metaFill = 0;
    this.#padding = paddingOf(raw.sizeBytes);
    this.#meta = Buffer.allocUnsafe(raw.sizeBytes);
    if (raw.sizeBytes === 0) this.#endMeta();
    else this.#state = 'meta';
  }

  /** Many small extension headers before one entry, or many global ones, must not add up to more than one big one. */
  #countMeta(raw: RawHeader): void {
    const { maxHeaderBytes } = this.#limits;
    if (raw.sizeBytes < 0) throw invalidArchive('negative size of an extension header');
    if (raw.typeFlag === 'g') this.#globalMetaBytes += raw.sizeBytes;
    else this.#localMetaBytes += raw.sizeBytes;
    const total = raw.typeFlag === 'g' ? this.#globalMetaBytes : this.#localMetaBytes;
    if (total > maxHeaderBytes) throw archiveLimit(`extension headers of ${total} bytes`, { maxHeaderBytes });
  }

  #takeMeta(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#meta.length - this.#metaFill, chunk.length - at);
    chunk.copy(this.#meta, this.#metaFill, at, at + taken);
    this.#metaFill += taken;
    if (this.#metaFill === this.#meta.length) {
      this.#endMeta();
      this.#state = this.#padding > 0 ? 'padding' : 'block';
    }
    return at + taken;
  }

  #endMeta(): void {
    switch (this.#metaFlag) {
      case 'g':
        parsePax(this.#meta, (this.#globalPax ??= {}));
        return;
      case 'L':
        this.#longName = untilNul(this.#meta);
        return;
      case 'K':
        this.#longLink = untilNul(this.#meta);
        return;
      default:
        parsePax(this.#meta, (this.#localPax ??= {}));
    }
  }

  #startEntry(raw: RawHeader, block: Buffer, offset: number): void {
    const pax = this.#mergedPax();
    const { header, storedBytes } = resolveHeader(raw, { pax, longName: this.#longName, longLink: this.#longLink });
    this.#localPax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    this.#localMetaBytes = 0;
    this.#header = header;
    this.#remaining = storedBytes;
    this.#padding = paddingOf(storedBytes);
    this.#position = 0;
    this.#sparse = DENSE;
    this.#sparseIndex = 0;
    if (raw.typeFlag === 'S') this.#startOldSparse(header, block, offset);
    else if (pax.sparse && header.type === 'file') this.#startPaxSparse(header, pax.sparse);
    else this.#announce(header);
  }

  #mergedPax(): PaxRecords {
    if (!this.#globalPax) return this.#localPax ?? NO_RECORDS;
    if (!this.#localPax) return this.#globalPax;
    const merged = { ...this.#globalPax, ...this.#localPax };
    if (this.#globalPax.xattrs && this.#localPax.xattrs) {
      merged.xattrs = new Map([...this.#globalPax.xattrs, ...this.#localPax.xattrs]);
    }
    return merged;
  }

  #startOldSparse(header: TarHeader, block: Buffer, offset: number): void {
    header.sizeBytes = readOldGnuRealSize(block, offset);
    this.#oldSparse = [];
    if (readOldGnuSparse(block, offset, 'header', this.#oldSparse)) this.#expect = 'sparseExtension';
    else this.#announceSparse(header, this.#oldSparse);
  }

  #onSparseExtension(block: Buffer, offset: number): void {
    const more = readOldGnuSparse(block, offset, 'extension', this.#oldSparse);
    if (this.#oldSparse.length * 12 > this.#limits.maxHeaderBytes) throw invalidArchive('the sparse map is too long');
    if (more || !this.#header) return;
    this.#expect = 'header';
    this.#announceSparse(this.#header, this.#oldSparse);
  }

  #startPaxSparse(header: TarHeader, sparse: NonNullable<PaxRecords['sparse']>): void {
    header.sizeBytes = sparse.realSizeBytes ?? header.sizeBytes;
    if (sparse.major === 1 && sparse.minor === 0) {
      this.#sparseReader = new SparseMapReader(Math.min(this.#limits.maxHeaderBytes, this.#remaining));
      this.#expect = 'sparseMap';
    } else if (sparse.major === 0 && sparse.map) {
      this.#announceSparse(header, sparse.map);
    } else {
      throw invalidArchive(`unknown sparse format ${sparse.major}.${sparse.minor}`);
    }
  }

  #onSparseMap(block: Buffer, offset: number): void {
    if (!this.#sparseReader || !this.#header) return;
    const complete = this.#sparseReader.push(block, offset);
    this.#remaining -= BLOCK_BYTES;
    if (!complete) return;
    this.#expect = 'header';
    this.#announceSparse(this.#header, this.#sparseReader.map);
    this.#sparseReader = undefined;
  }

  #announceSparse(header: TarHeader, map: SparseMap): void {
    checkSparseMap(map, header.sizeBytes, this.#remaining);
    this.#sparse = map;
    this.#position = map[0] ?? 0;
    this.#announce(header);
  }

  /** Checks the limits before the handler has done anything for the entry. */
  #announce(header: TarHeader): void {
    this.#entries++;
    this.#unpackedBytes += header.sizeBytes + (header.type === 'symlink' ? encodeText(header.linkName).length : 0);
    const { maxEntries, maxUnpackedBytes } = this.#limits;
    if (this.#entries > maxEntries) throw archiveLimit(`more than ${maxEntries} entries`, { maxEntries });
    if (this.#unpackedBytes > maxUnpackedBytes) {
      throw archiveLimit(`more than ${maxUnpackedBytes} bytes unpacked`, { maxUnpackedBytes });
    }
    this.#handler.entry(header);
    if (this.#remaining > 0) this.#state = 'data';
    else this.#endEntry();
  }

  #takeData(chunk: Buffer, at: number): number {
    let length = Math.min(this.#remaining, chunk.length - at);
    if (this.#sparse !== DENSE) length = this.#limitToPiece(length);
    if (this.#header?.type === 'file') this.#handler.data(chunk, at, length, this.#position);
    this.#remaining -= length;
    this.#position += length;
    if (this.#remaining === 0) this.#endEntry();
    return at + length;
  }

  /** Moves to the next piece of a sparse file when the current one is full, and keeps `length` inside it. */
  #limitToPiece(length: number): number {
    for (;;) {
      const start = this.#sparse[this.#sparseIndex] ?? 0;
      const end = start + (this.#sparse[this.#sparseIndex + 1] ?? 0);
      if (this.#position < start) this.#position = start;
      if (this.#position < end) return Math.min(length, end - this.#position);
      this.#sparseIndex += 2;
      if (this.#sparseIndex >= this.#sparse.length) throw invalidArchive('the sparse map does not match the size');
    }
  }

  #endEntry(): void {
    this.#header = undefined;
    this.#state = this.#padding > 0 ? 'padding' : 'block';
    this.#handler.entryEnd();
  }
}

const NO_RECORDS: PaxRecords = {};

function untilNul(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return decodeText(bytes, 0, nul === -1 ? bytes.length : nul);
}
