import { closeSync, openSync, read } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { BlobWriter } from '#store';

const readAsync = promisify(read);
const READ_BYTES = 256 * 1024;
/** One is being read into, one waits in the stream, one is with the reader, who is done with it when he asks for more. */
const BUFFERS = 4;

/** A file that is being written, and can be read while it grows: unpacking then goes along with the download. */
export class GrowingFile {
  readonly #path: string;
  #readableBytes: number;
  #ended: boolean;
  #failure: Error | undefined;
  #changed: PromiseWithResolvers<void>;

  constructor(path: string) {
    this.#path = path;
    this.#readableBytes = 0;
    this.#ended = false;
    this.#failure = undefined;
    this.#changed = Promise.withResolvers();
  }

  /** More of it has reached the file. */
  grown(writer: BlobWriter): void {
    if (writer.flushedBytes === this.#readableBytes) return;
    this.#readableBytes = writer.flushedBytes;
    this.#wake();
  }

  ended(sizeBytes: number): void {
    this.#readableBytes = sizeBytes;
    this.#ended = true;
    this.#wake();
  }

  /** Readers fail with it. */
  failed(failure: Error): void {
    if (this.#ended) return;
    this.#failure = failure;
    this.#wake();
  }

  /** All of it from the start, to the end that is still to come; pieces are valid until the next one is asked for. */
  openRead(onRead: (currentBytes: number) => void): Readable {
    const fd = openSync(this.#path, 'r');
    const stream = Readable.from(this.#read(fd, onRead), { objectMode: true, highWaterMark: 1 });
    return stream.once('close', () => closeSync(fd));
  }

  async *#read(fd: number, onRead: (currentBytes: number) => void): AsyncGenerator<Buffer, void, undefined> {
    // Used over and over: as garbage they would outgrow everything else here before anyone collects them.
    const buffers = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(READ_BYTES));
    let at = 0;
    let turn = 0;
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (at < this.#readableBytes) {
        const buffer = buffers[turn % BUFFERS] ?? Buffer.allocUnsafe(READ_BYTES);
        const { bytesRead } = await readAsync(fd, buffer, 0, READ_BYTES, at);
        if (bytesRead === 0) throw new Error(`${this.#path} is shorter than what was written to it`);
        at += bytesRead;
        turn += 1;
        onRead(at);
        yield buffer.subarray(0, bytesRead);
      } else if (this.#ended) return;
      else await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
