import type { Readable } from 'node:stream';
import type { ArchiveLimits } from '../contract.ts';
import { invalidArchive } from '../errors.ts';
import type { TarHeader } from './header.ts';
import { TarParser } from './parser.ts';

/** One entry while it passes by. */
export interface TarEntry {
  readonly header: TarHeader;
  /**
   * The content, to be read before the next entry is asked for; holes of sparse files come as zeros.
   * Its buffers may be kept. Breaking off, or not reading at all, skips the rest.
   */
  readonly body: AsyncIterable<Buffer>;
  /** The whole content. @throws {@link EngineError} invalidArgument when it is longer than `maxBytes`. */
  bytes(maxBytes: number): Promise<Buffer>;
  /** Goes past the content without keeping it; the next step of the iteration does so by itself. */
  skip(): Promise<void>;
}

export interface ReadTarOptions {
  limits?: Partial<ArchiveLimits>;
}

type TarEvent =
  | { kind: 'entry'; header: TarHeader }
  | { kind: 'data'; bytes: Buffer; position: number }
  | { kind: 'entryEnd' };

/** Zeros given for holes, a piece at a time. */
const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Iterates over the entries of an uncompressed tar (see `decompress` for the others).
 *
 * Bytes are taken from `source` only as the entries are consumed, and stopping the iteration destroys it.
 *
 * @throws {@link EngineError} invalidArgument when the archive is malformed, truncated or beyond the limits.
 */
export async function* readTar(
  source: Readable | AsyncIterable<Uint8Array>,
  options: ReadTarOptions = {},
): AsyncGenerator<TarEntry, void, undefined> {
  const events = new EventReader(source, options.limits);
  try {
    for (;;) {
      const event = await events.next();
      if (!event) return;
      if (event.kind !== 'entry') continue;
      const entry = new PassingEntry(event.header, events);
      yield entry;
      await entry.skip();
    }
  } finally {
    await events.close();
  }
}

/** Feeds the parser one chunk at a time and hands out what it found in there. */
class EventReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #parser: TarParser;
  #events: TarEvent[];
  #at: number;
  #ended: boolean;

  constructor(source: AsyncIterable<Uint8Array>, limits: Partial<ArchiveLimits> | undefined) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#events = [];
    this.#at = 0;
    this.#ended = false;
    this.#parser = new TarParser(
      {
        entry: (header) => this.#events.push({ kind: 'entry', header }),
        data: (chunk, start, length, position) =>
          this.#events.push({ kind: 'data', bytes: chunk.subarray(start, start + length), position }),
        entryEnd: () => this.#events.push({ kind: 'entryEnd' }),
      },
      limits,
    );
  }

  async next(): Promise<TarEvent | undefined> {
    for (;;) {
      const event = this.#events[this.#at++];
      if (event) return event;
      if (this.#ended) return undefined;
      this.#events = [];
      this.#at = 0;
      const { value, done } = await this.#chunks.next();
      if (done) {
        this.#ended = true;
        this.#parser.end();
      } else {
        this.#parser.push(
          Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        );
      }
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

class PassingEntry implements TarEntry {
  readonly header: TarHeader;
  readonly #events: EventReader;
  #passed: boolean;

  constructor(header: TarHeader, events: EventReader) {
    this.header = header;
    this.#events = events;
    this.#passed = false;
  }

  get body(): AsyncIterable<Buffer> {
    return this.#read();
  }

  async bytes(maxBytes: number): Promise<Buffer> {
    if (this.header.sizeBytes > maxBytes) {
      throw invalidArchive(`${JSON.stringify(this.header.name)} is longer than ${maxBytes} bytes`);
    }
    const parts: Buffer[] = [];
    for await (const part of this.#read()) parts.push(part);
    return Buffer.concat(parts);
  }

  async skip(): Promise<void> {
    while (!this.#passed) await this.#nextData();
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    let position = 0;
    for (;;) {
      const data = await this.#nextData();
      const until = data ? data.position : this.header.sizeBytes;
      while (position < until) {
        const hole = ZEROS.subarray(0, Math.min(ZEROS.length, until - position));
        position += hole.length;
        yield hole;
      }
      if (!data) return;
      position += data.bytes.length;
      yield data.bytes;
    }
  }

  async #nextData(): Promise<{ bytes: Buffer; position: number } | undefined> {
    if (this.#passed) return undefined;
    const event = await this.#events.next();
    if (event?.kind === 'data') return event;
    this.#passed = true;
    return undefined;
  }
}
