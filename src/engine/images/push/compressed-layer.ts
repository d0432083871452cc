import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createCompressor } from '#archive';
import { failpoint } from '#lib';
import type { Digest } from '#spec';
import type { IngestedFile, Store } from '#store';
import type { BlobSources } from './blob-sources.ts';

/**
 * A plain layer blob in the form it is pushed in. Compressing gives the same bytes each time; what they are is
 * remembered, so that a layer that a registry has is not compressed again. Disposing removes the file.
 */
export class CompressedLayer implements AsyncDisposable {
  readonly #store: Store;
  readonly #sources: BlobSources;
  readonly #plain: Digest;
  readonly #signal: AbortSignal;
  #file: IngestedFile | undefined;

  constructor(parts: { store: Store; sources: BlobSources }, plain: Digest, signal: AbortSignal) {
    this.#store = parts.store;
    this.#sources = parts.sources;
    this.#plain = plain;
    this.#signal = signal;
    this.#file = undefined;
  }

  /** Digest and size, from memory or by compressing. @param onRead - bytes of the plain layer read so far. */
  async describe(onRead: (currentBytes: number) => void): Promise<{ digest: Digest; sizeBytes: number }> {
    return this.#sources.findCompressed(this.#plain) ?? (await this.compress(onRead));
  }

  /** Compresses unless that was done. What was remembered of another version of the compressor is replaced. */
  async compress(onRead: (currentBytes: number) => void): Promise<{ digest: Digest; sizeBytes: number }> {
    this.#file ??= await this.#compress(onRead);
    const { digest, sizeBytes } = this.#file;
    return { digest, sizeBytes };
  }

  /** The compressed bytes; {@link compress} must have been called. */
  openRead(offsetBytes: number): AsyncIterable<Uint8Array> {
    return createReadStream(this.#file?.path ?? '', { start: offsetBytes, highWaterMark: 256 * 1024 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file) await this.#store.blobs.discard(this.#file);
    this.#file = undefined;
  }

  async #compress(onRead: (currentBytes: number) => void): Promise<IngestedFile> {
    await using writer = await this.#store.blobs.createWriter();
    let currentBytes = 0;
    await pipeline(
      this.#store.blobs.openRead(this.#plain),
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          currentBytes += chunk.length;
          onRead(currentBytes);
          yield chunk;
        }
      },
      createCompressor('gzip'),
      async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) await writer.write(chunk);
      },
      { signal: this.#signal },
    );
    const file = await writer.finish();
    this.#sources.rememberCompressed(this.#plain, file);
    failpoint('push-compressed');
    return file;
  }
}
