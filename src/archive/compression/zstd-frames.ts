import { EngineError } from '#errors';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

type State =
  | 'magic'
  | 'skippableSize'
  | 'descriptor'
  | 'frameHeader'
  | 'blockHeader'
  | 'blockBody'
  | 'checksum'
  | 'skip';

/**
 * Cuts a zstd stream at its frame boundaries and drops skippable frames.
 *
 * Node's decompressor ignores what follows a frame inside the same write, and layers may have many frames (zstd:chunked has
 * one per file), so each write must end where a frame ends at the latest. Finding the ends needs no decompression: blocks
 * carry their lengths.
 *
 * @see RFC 8878, section 3.1
 */
export class ZstdFrameSplitter {
  #state: State;
  #field: number;
  #fieldBytes: number;
  #wantedBytes: number;
  #checksum: boolean;
  #lastBlock: boolean;

  constructor() {
    this.#state = 'magic';
    this.#field = 0;
    this.#fieldBytes = 0;
    this.#wantedBytes = 4;
    this.#checksum = false;
    this.#lastBlock = false;
  }

  /** Whether the bytes so far end with a whole frame. */
  get atFrameEnd(): boolean {
    return this.#state === 'magic' && this.#fieldBytes === 0;
  }

  /** Gives the parts of `chunk` (and of bytes held back before it) that may be written together. */
  *split(chunk: Buffer): Generator<Buffer, void, undefined> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'magic') {
        at = this.#collect(chunk, at);
        if (this.#fieldBytes < 4) return;
        if (this.#startFrame()) yield magicBytes();
        start = at;
        continue;
      }
      const skipping = this.#state === 'skip' || this.#state === 'skippableSize';
      at = this.#advance(chunk, at);
      if (skipping) start = at;
      else if (this.atFrameEnd) {
        yield chunk.subarray(start, at);
        start = at;
      }
    }
    if (start < at) yield chunk.subarray(start, at);
  }

  /** Little-endian number over as many bytes as wanted, possibly across chunks. */
  #collect(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#fieldBytes < this.#wantedBytes && at < chunk.length) {
      this.#field += (chunk[at] ?? 0) * 2 ** (8 * this.#fieldBytes);
      this.#fieldBytes++;
      at++;
    }
    return at;
  }

  #startFrame(): boolean {
    const magic = this.#field;
    if (magic === FRAME_MAGIC) {
      this.#expect('descriptor', 1);
      return true;
    }
    if (magic - (magic % 16) !== SKIPPABLE_MAGIC) {
      throw new EngineError(
        'invalidArgument',
        'ARCHIVE_COMPRESSION',
        'invalid zstd data: no frame where one should start',
      );
    }
    this.#expect('skippableSize', 4);
    return false;
  }

  #advance(chunk: Buffer, from: number): number {
    if (
      this.#state === 'skip' ||
      this.#state === 'frameHeader' ||
      this.#state === 'blockBody' ||
      this.#state === 'checksum'
    ) {
      const taken = Math.min(this.#wantedBytes, chunk.length - from);
      this.#wantedBytes -= taken;
      if (this.#wantedBytes === 0) this.#afterBytes(this.#state);
      return from + taken;
    }
    const at = this.#collect(chunk, from);
    if (this.#fieldBytes === this.#wantedBytes) this.#afterField(this.#state, this.#field);
    return at;
  }

  #afterField(state: State, field: number): void {
    if (state === 'skippableSize') {
      this.#expect(field === 0 ? 'magic' : 'skip', field === 0 ? 4 : field);
    } else if (state === 'descriptor') {
      const singleSegment = (field & 0x20) !== 0;
      const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][field >> 6] ?? 0;
      const dictionaryBytes = [0, 1, 2, 4][field & 3] ?? 0;
      this.#checksum = (field & 4) !== 0;
      const rest = (singleSegment ? 0 : 1) + sizeBytes + dictionaryBytes;
      this.#expect(rest > 0 ? 'frameHeader' : 'blockHeader', rest > 0 ? rest : 3);
    } else {
      this.#lastBlock = (field & 1) !== 0;
      const runLength = ((field >> 1) & 3) === 1;
      const bodyBytes = runLength ? 1 : Math.floor(field / 8);
      if (bodyBytes > 0) this.#expect('blockBody', bodyBytes);
      else this.#afterBytes('blockBody');
    }
  }

  #afterBytes(state: State): void {
    if (state === 'frameHeader' || (state === 'blockBody' && !this.#lastBlock)) this.#expect('blockHeader', 3);
    else if (state === 'blockBody' && this.#checksum) this.#expect('checksum', 4);
    else this.#expect('magic', 4);
  }

  #expect(state: State, bytes: number): void {
    this.#state = state;
    this.#wantedBytes = bytes;
    this.#field = 0;
    this.#fieldBytes = 0;
  }
}

/** The magic was held back until it was known to start a data frame. */
function magicBytes(): Buffer {
  return Buffer.of(0x28, 0xb5, 0x2f, 0xfd);
}
