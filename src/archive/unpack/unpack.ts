import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { EngineError } from '#errors';
import type { UnpackOptions, UnpackResult } from '../contract.ts';
import { decompress } from '../compression/decompress.ts';
import { detectCompression, MAGIC_BYTES } from '../compression/detect.ts';
import { completeLimits } from '../tar/limits.ts';
import type { ArchiveWorker } from '../workers/archive-worker.ts';
import { JobControl } from '../workers/job-control.ts';
import { unpackPool } from '../workers/pools.ts';
import type { Job } from '../workers/protocol.ts';
import { ChunkFeeder } from './chunk-feeder.ts';

/** What workers decompress themselves. */
const WORKERS_OWN = ['gzip', 'zstd'] as const;

/**
 * Unpacks an archive into a directory, in a thread whose root is that directory.
 *
 * Several may run at once (a thread each; beyond the pool's size they wait). A stream given as the source is consumed, and
 * destroyed when unpacking ends early.
 *
 * Names that leave the root, malformed or truncated archives and exceeded limits are errors; special files, owners, xattrs
 * and whiteouts are made as the options say. `trusted.overlay.*` xattrs of the archive are left out.
 *
 * @throws {@link EngineError} invalidArgument for what is wrong with the archive, unavailable when the disk is full,
 *   unavailable for a compression that this host has no program for; the source's own error; the signal's reason once everything has stopped.
 *   What was made until then stays in `root`, for the caller to remove.
 */
export async function unpack(options: UnpackOptions): Promise<UnpackResult> {
  const { source, signal } = options;
  if ('stream' in source) {
    try {
      signal?.throwIfAborted();
      return await fromStream(decompress(source.stream, { keep: WORKERS_OWN }), options);
    } finally {
      source.stream.destroy();
    }
  }
  signal?.throwIfAborted();
  await using file = await open(source.path, 'r');
  if (await needsProgram(file)) {
    return await fromStream(decompress(file.createReadStream({ start: 0, autoClose: false })), options);
  }
  return await unpackPool.use(signal, (worker) => runJob(worker, options, file.fd, undefined));
}

async function fromStream(stream: Readable, options: UnpackOptions): Promise<UnpackResult> {
  try {
    return await unpackPool.use(options.signal, (worker) => runJob(worker, options, undefined, stream));
  } finally {
    stream.destroy();
  }
}

/** Whether the data must be decompressed by a program of the host's: never by a worker, whose root is another. */
async function needsProgram(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
  const compression = detectCompression(buffer.subarray(0, bytesRead));
  return compression === 'xz' || compression === 'bzip2';
}

async function runJob(
  worker: ArchiveWorker,
  options: UnpackOptions,
  sourceFd: number | undefined,
  stream: Readable | undefined,
): Promise<UnpackResult> {
  const { signal } = options;
  const control = new JobControl();
  const feeder = stream && new ChunkFeeder(worker, stream);
  const cancel = (): void => {
    control.cancel();
    feeder?.stop();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  try {
    const ended = worker.run(unpackJob(options, sourceFd), control, { consumed: (bytes) => feeder?.consumed(bytes) });
    // The worker's error is the better one, unless the source's was the cause of it.
    void feeder?.run();
    const result = await ended;
    if (typeof result === 'object' && 'diffId' in result) return result;
    throw new EngineError('internal', 'ARCHIVE_WORKER', 'unexpected answer to unpacking');
  } catch (error) {
    signal?.throwIfAborted();
    throw feeder?.sourceError ?? error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    feeder?.stop();
  }
}

function unpackJob(options: UnpackOptions, sourceFd: number | undefined): Job {
  return {
    kind: 'unpack',
    root: options.root,
    directory: options.directory ?? '/',
    sourceFd,
    whiteouts: options.whiteouts,
    noOverwriteDirNonDir: options.noOverwriteDirNonDir ?? false,
    owner: options.owner,
    limits: completeLimits(options.limits),
  };
}
