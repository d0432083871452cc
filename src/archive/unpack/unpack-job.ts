import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { EngineError } from '#errors';
import { parseDigest } from '#spec';
import { errnoKind, hasErrno, type Sys } from '#sys';
import { decompressChunks } from '../compression/decompress.ts';
import { detectCompression } from '../compression/detect.ts';
import type { UnpackResult } from '../contract.ts';
import { TarParser } from '../tar/parser.ts';
import type { JobControl } from '../workers/job-control.ts';
import type { MessageSource } from '../workers/message-source.ts';
import type { Job } from '../workers/protocol.ts';
import { TreeWriter } from './tree-writer.ts';

/** One read(2) of a plain tar; files and headers are taken from it without copying. */
const PLAIN_READ_BYTES = 1024 * 1024;
const COMPRESSED_READ_BYTES = 256 * 1024;

/** What the archive itself is to blame for: names too long, parents that are no directories, loops of links. */
const ARCHIVE_FAULTS = [
  'ENOENT',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EPERM',
  'EINVAL',
  'EMLINK',
  'ERANGE',
  'E2BIG',
];

/**
 * Unpacks into `/` of the calling thread.
 *
 * Only the decompression of a compressed archive is asynchronous; it works in memory, on libuv's threads, which matters
 * because those have the host's root.
 */
export async function runUnpack(
  job: Extract<Job, { kind: 'unpack' }>,
  messages: MessageSource,
  control: JobControl,
  files: Sys['files'],
): Promise<UnpackResult> {
  const writer = new TreeWriter(files, job);
  const parser = new TarParser(writer, job.limits);
  const hash = createHash('sha256');
  let tarSizeBytes = 0;
  const feed = (chunk: Buffer): void => {
    if (control.cancelled) throw new EngineError('cancelled', 'ARCHIVE_CANCELLED', 'unpacking was cancelled');
    hash.update(chunk);
    tarSizeBytes += chunk.length;
    parser.push(chunk);
  };
  try {
    if (job.sourceFd !== undefined) await feedFile(job.sourceFd, feed);
    else for await (const chunk of decompressChunks(messages)) feedOrBreak(chunk, feed, messages);
    parser.end();
    writer.finish();
  } catch (error) {
    throw unpackError(error, writer.currentName);
  } finally {
    writer.abandon();
  }
  const diffId = parseDigest(`sha256:${hash.digest('hex')}`);
  return { diffId, tarSizeBytes, contentSizeBytes: parser.unpackedBytes, entries: parser.entries };
}

/** A reader that gives up first waits for the chunk it has asked for, which may never come; so the source is ended. */
function feedOrBreak(chunk: Buffer, feed: (chunk: Buffer) => void, messages: MessageSource): void {
  try {
    feed(chunk);
  } catch (error) {
    messages.end(true);
    throw error;
  }
}

async function feedFile(fd: number, feed: (chunk: Buffer) => void): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(PLAIN_READ_BYTES);
  let length = readSync(fd, buffer, 0, buffer.length, 0);
  if (detectCompression(buffer.subarray(0, length)) !== 'plain') {
    for await (const chunk of decompressChunks(readCompressed(fd))) feed(chunk);
    return;
  }
  for (let position = 0; length > 0; length = readSync(fd, buffer, 0, buffer.length, position)) {
    feed(buffer.subarray(0, length));
    position += length;
  }
}

/** The decompressor may still hold a chunk when the next one is read, so each has its own memory. */
async function* readCompressed(fd: number): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafeSlow(COMPRESSED_READ_BYTES);
    const length = readSync(fd, buffer, 0, buffer.length, position);
    if (length === 0) return;
    position += length;
    yield buffer.subarray(0, length);
  }
}

function unpackError(error: unknown, name: string): unknown {
  if (!(error instanceof Error)) return error;
  const message = `failed to unpack ${JSON.stringify(name)}: ${error.message}`;
  if (hasErrno(error, ...ARCHIVE_FAULTS)) {
    return new EngineError('invalidArgument', 'ARCHIVE_ENTRY', message, { cause: error, details: { name } });
  }
  if (error instanceof EngineError || !('errno' in error) || typeof error.errno !== 'number') return error;
  return new EngineError(errnoKind(-error.errno), 'ARCHIVE_ENTRY', message, { cause: error, details: { name } });
}
