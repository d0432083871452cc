import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { failpoint, isErrno } from '#lib';
import { rotatedPath } from '../log-files.ts';
import { noPendingLines, type PendingLines } from './json-encoder.ts';
import { type JsonLogState, loadState, saveState } from './json-log-state.ts';

const NEWLINE = 0x0a;
const MODE = 0o640;

export interface JsonLogLimits {
  maxSizeBytes: number;
  /** Files kept, the current one among them. */
  maxFiles: number;
  /** Rotated files are gzipped. */
  compress: boolean;
}

/**
 * The json-file of a container and its rotated siblings.
 *
 * Bytes are appended first and committed afterwards, together with the place in conmon's log that they came from. After a
 * death in between the file has more than was committed. Since the same records give the same bytes again, that much
 * is passed over when they come again: nothing is doubled, a torn line is completed, and the file never shrinks under
 * who reads it.
 */
export class JsonLogFile {
  readonly #path: string;
  readonly #statePath: string;
  readonly #limits: JsonLogLimits;
  #state: JsonLogState;
  #file: FileHandle;
  #sizeBytes: number;
  #skipBytes: number;
  #compressing: Promise<void>;

  static async open(path: string, statePath: string, limits: JsonLogLimits): Promise<JsonLogFile> {
    const found = loadState(statePath);
    const unfinished = found !== undefined && isUnfinishedRotation(found, path);
    if (unfinished) shift(path, limits.maxFiles);
    const file = await open(path, 'a', MODE);
    const { ino: inode, size } = await file.stat({ bigint: true });
    const target = { inode, sizeBytes: Number(size) };
    const fresh = { source: undefined, pending: noPendingLines(), doneBytes: 0, target, rotating: false };
    const state = found ?? fresh;
    const rotated = found !== undefined && (found.rotating || found.target.inode !== inode);
    const settled = rotated ? { ...state, target: { inode, sizeBytes: 0 }, rotating: false } : state;
    if (found === undefined || rotated) saveState(statePath, settled);
    return new JsonLogFile(path, statePath, limits, settled, file, Number(size));
  }

  private constructor(
    path: string,
    statePath: string,
    limits: JsonLogLimits,
    state: JsonLogState,
    file: FileHandle,
    sizeBytes: number,
  ) {
    this.#path = path;
    this.#statePath = statePath;
    this.#limits = limits;
    this.#state = state;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#skipBytes = state.doneBytes + Math.max(0, sizeBytes - state.target.sizeBytes);
    this.#compressing = Promise.resolve();
  }

  /** Where the next record to convert is. */
  get source(): JsonLogState['source'] {
    return this.#state.source;
  }

  get pending(): PendingLines {
    return this.#state.pending;
  }

  /** Appends whole lines, rotating where they cross the limit. They count once committed. */
  async append(lines: Buffer): Promise<void> {
    const skipped = Math.min(this.#skipBytes, lines.length);
    this.#skipBytes -= skipped;
    let rest = lines.subarray(skipped);
    while (rest.length > 0) {
      if (this.#sizeBytes >= this.#limits.maxSizeBytes) await this.#rotate();
      const part = rest.subarray(0, cutAfter(rest, this.#limits.maxSizeBytes - this.#sizeBytes));
      await this.#file.appendFile(part);
      this.#sizeBytes += part.length;
      rest = rest.subarray(part.length);
    }
    failpoint('json-log-appended');
  }

  /** What was appended came from before `source`. */
  commit(source: { inode: bigint; offset: number }, pending: PendingLines): void {
    const target = { inode: this.#state.target.inode, sizeBytes: this.#sizeBytes };
    this.#state = { source, pending, doneBytes: 0, target, rotating: false };
    saveState(this.#statePath, this.#state);
  }

  async close(): Promise<void> {
    await this.#compressing;
    await this.#file.close();
  }

  async #rotate(): Promise<void> {
    await this.#compressing;
    const uncommitted = Math.max(0, this.#sizeBytes - this.#state.target.sizeBytes);
    const doneBytes = this.#state.doneBytes + uncommitted;
    this.#save({ ...this.#state, doneBytes, rotating: true });
    failpoint('json-log-rotating');
    shift(this.#path, this.#limits.maxFiles);
    failpoint('json-log-shifted');
    await this.#file.close();
    this.#file = await open(this.#path, 'a', MODE);
    const { ino: inode } = await this.#file.stat({ bigint: true });
    this.#sizeBytes = 0;
    this.#save({ ...this.#state, doneBytes, target: { inode, sizeBytes: 0 }, rotating: false });
    if (this.#limits.compress && this.#limits.maxFiles > 1) this.#compressing = compress(rotatedPath(this.#path, 1));
  }

  #save(state: JsonLogState): void {
    this.#state = state;
    saveState(this.#statePath, state);
  }
}

/** How much of `lines` goes into a file that takes `room` more: whole lines, the last one may cross the limit. */
function cutAfter(lines: Buffer, room: number): number {
  if (lines.length <= room) return lines.length;
  const end = lines.indexOf(NEWLINE, Math.max(0, room - 1));
  return end < 0 ? lines.length : end + 1;
}

function isUnfinishedRotation(state: JsonLogState, path: string): boolean {
  return state.rotating && inodeOf(path) === state.target.inode;
}

/** Makes the current file the newest rotated one. Only as many move on as have to: it may be done for the second time. */
function shift(path: string, maxFiles: number): void {
  if (maxFiles < 2) return rmSync(path, { force: true });
  let free = 1;
  while (free < maxFiles && slotFiles(path, free).length > 0) free++;
  if (free === maxFiles) {
    free = maxFiles - 1;
    for (const file of slotFiles(path, free)) rmSync(file, { force: true });
  }
  for (let slot = free - 1; slot >= 1; slot--) {
    for (const file of slotFiles(path, slot)) {
      renameSync(file, rotatedPath(path, slot + 1) + file.slice(rotatedPath(path, slot).length));
    }
  }
  if (existsSync(path)) renameSync(path, rotatedPath(path, 1));
}

/** The file in a slot, plain or compressed. Both are there if we died right after compressing; one is enough then. */
function slotFiles(path: string, slot: number): string[] {
  const plain = rotatedPath(path, slot);
  const [first, second] = [plain, `${plain}.gz`].filter((file) => existsSync(file));
  if (second !== undefined) rmSync(second);
  return first === undefined ? [] : [first];
}

/** What it cannot do stays uncompressed. */
async function compress(path: string): Promise<void> {
  const temporary = `${path}.gz.new`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: MODE }));
    renameSync(temporary, `${path}.gz`);
    rmSync(path, { force: true });
  } catch {
    rmSync(temporary, { force: true });
  }
}

function inodeOf(path: string): bigint | undefined {
  try {
    return statSync(path, { bigint: true }).ino;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
