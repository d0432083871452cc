import { addAbortSignal, Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { EngineError } from '#errors';
import { truncatedArchive } from '../errors.ts';
import { type Compression, detectCompression, MAGIC_BYTES } from './detect.ts';
import { throughProgram } from './program-decoder.ts';
import { ZstdFrameSplitter } from './zstd-frames.ts';

export type ByteSource = Readable | AsyncIterable<Uint8Array>;

/** Large enough that a step through the thread pool is cheap beside the work done in it. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Decompresses whatever `source` turns out to be by its first bytes: gzip (all members), zstd (all frames), xz, bzip2 or plain.
 *
 * `keep` names compressions that are passed on as they are. The caller owns the result; destroying it destroys the source. Memory use is bounded whatever the ratio.
 *
 * @throws {@link EngineError} through the stream: invalidArgument for broken or truncated data, unavailable where the
 * host has no program for xz or bzip2; errors of the source as they are.
 */
export function decompress(
  source: ByteSource,
  options: { signal?: AbortSignal; keep?: readonly Compression[] } = {},
): Readable {
  const chunks = decompressChunks(source, options.keep);
  const stream: Readable = new Readable({
    highWaterMark: CHUNK_BYTES,
    read: () => {
      chunks.next().then(
        ({ value, done }) => stream.push(done ? null : value),
        (error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))),
      );
    },
    // The generator may be waiting for the source, and would be for ever if that were not destroyed first.
    destroy: (error, callback) => {
      if (source instanceof Readable) source.destroy();
      chunks.return().catch(() => undefined);
      callback(error);
    },
  });
  if (options.signal) addAbortSignal(options.signal, stream);
  return stream;
}

/** {@link decompress} without a stream around it. */
export async function* decompressChunks(
  source: ByteSource,
  keep: readonly Compression[] = [],
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = toBuffers(source);
  try {
    const head = await readHead(chunks);
    const compression = detectCompression(head);
    if (compression === 'plain' || keep.includes(compression)) {
      if (head.length > 0) yield head;
      yield* chunks;
      return;
    }
    const input = prepend(head, chunks);
    if (compression === 'xz' || compression === 'bzip2') yield* throughProgram(compression, input);
    else yield* throughDecoder(compression, input);
  } finally {
    await chunks.return(undefined);
  }
}

async function* throughDecoder(compression: 'gzip' | 'zstd', chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const decoder = createDecoder(compression);
  const input = compression === 'zstd' ? frames(chunks) : chunks;
  let sourceError: unknown;
  const fed = pipeline(input, decoder).catch((error: unknown) => {
    sourceError = error;
  });
  try {
    yield* decoder as AsyncIterable<Buffer>;
    await fed;
  } catch (error) {
    await fed;
    throw decoderError(compression, sourceError ?? error);
  } finally {
    decoder.destroy();
  }
}

function createDecoder(compression: 'gzip' | 'zstd'): Transform {
  const options = { chunkSize: CHUNK_BYTES };
  return compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
}

async function* frames(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const splitter = new ZstdFrameSplitter();
  for await (const chunk of chunks) yield* splitter.split(chunk);
  if (!splitter.atFrameEnd) throw truncatedArchive('inside a zstd frame');
}

function decoderError(compression: Compression, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (error.code === 'Z_BUF_ERROR') return truncatedArchive(`inside its ${compression} data`);
  if (!/^(Z_|ZSTD_)/.test(error.code)) return error;
  const message = `invalid ${compression} data: ${error.message}`;
  return new EngineError('invalidArgument', 'ARCHIVE_COMPRESSION', message, { cause: error });
}

async function* toBuffers(source: ByteSource): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

async function readHead(chunks: AsyncGenerator<Buffer, void, undefined>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const { value, done } = await chunks.next();
    if (done || value === undefined) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return head;
}

async function* prepend(head: Buffer, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* chunks;
}
