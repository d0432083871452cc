import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { EngineError } from '#errors';
import { encodeHeader, endOfArchive, paddingAfter } from './encode-header.ts';
import { completeHeader, type TarHeader, type TarHeaderInit } from './header.ts';

export type TarBody = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Makes a tar archive entry by entry: `add` as often as needed, then `end`, while somebody reads `stream`.
 *
 * One call at a time; each resolves when its bytes are on their way, so a slow reader slows the writer down.
 */
export interface TarWriter {
  /** The archive; owned by its reader. Destroying it makes the calls of the writer fail. */
  readonly stream: Readable;
  /**
   * Adds an entry. For a file `sizeBytes` may be left out when the body is a string or bytes.
   *
   * @throws {@link EngineError} internal when the body's length is not the header's; cancelled when the reader is gone.
   */
  add(header: TarHeaderInit, body?: TarBody): Promise<void>;
  end(): Promise<void>;
  /** Gives up: the reader's stream fails with `error`. */
  destroy(error: Error): void;
}

/** A {@link TarWriter} writing ustar with PAX headers where needed; see `encodeHeader`. */
export function createTarWriter(): TarWriter {
  return new StreamTarWriter();
}

class StreamTarWriter implements TarWriter {
  readonly #stream: PassThrough;

  constructor() {
    this.#stream = new PassThrough({ highWaterMark: 256 * 1024 });
    // Destroying it before anybody reads must not take the process down; a later reader still gets the error.
    this.#stream.on('error', () => undefined);
  }

  get stream(): Readable {
    return this.#stream;
  }

  async add(init: TarHeaderInit, body?: TarBody): Promise<void> {
    const content = typeof body === 'string' ? Buffer.from(body) : body;
    const known = content instanceof Uint8Array ? content.byteLength : 0;
    const header = completeHeader({ ...init, sizeBytes: init.sizeBytes ?? known });
    await this.#write(encodeHeader(header));
    const written = content === undefined ? 0 : await this.#writeBody(header, content);
    if (written !== header.sizeBytes) throw wrongLength(header, written);
    const padding = paddingAfter(written);
    if (padding.length > 0) await this.#write(padding);
  }

  async end(): Promise<void> {
    await this.#write(endOfArchive());
    this.#stream.end();
  }

  destroy(error: Error): void {
    this.#stream.destroy(error);
  }

  async #writeBody(header: TarHeader, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<number> {
    if (content instanceof Uint8Array) {
      if (content.byteLength > 0) await this.#write(content);
      return content.byteLength;
    }
    let written = 0;
    for await (const chunk of content) {
      written += chunk.byteLength;
      if (written > header.sizeBytes) throw wrongLength(header, written);
      await this.#write(chunk);
    }
    return written;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#stream.destroyed) throw readerGone();
    if (this.#stream.write(bytes)) return;
    const settled = new AbortController();
    try {
      await Promise.race([
        once(this.#stream, 'drain', { signal: settled.signal }),
        once(this.#stream, 'close', { signal: settled.signal }),
      ]);
    } finally {
      settled.abort();
    }
    if (this.#stream.destroyed) throw readerGone();
  }
}

function wrongLength(header: TarHeader, written: number): EngineError {
  const message = `the content of ${header.name} is not ${header.sizeBytes} bytes long, but at least ${written}`;
  return new EngineError('internal', 'ARCHIVE_BODY_LENGTH', message);
}

function readerGone(): EngineError {
  return new EngineError('cancelled', 'ARCHIVE_READER_GONE', 'the archive is no longer being read');
}
