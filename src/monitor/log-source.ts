import type { FileHandle } from 'node:fs/promises';
import { listLogFiles, type LogFile, openLogFile, statLogFile } from './log-files.ts';

const NEWLINE = 0x0a;

/** A place in a log that goes on through rotated files. */
export interface LogPosition {
  inode: bigint;
  offset: number;
}

/** Whole records of a log, and what to {@link LogSource.advance} by once they are dealt with. */
export interface LogRecords {
  records: Buffer;
  bytes: number;
}

/** Reads the log that conmon writes, record by record, from a place on. One call at a time. */
export class LogSource {
  readonly #path: string;
  #file: FileHandle | undefined;
  #inode: bigint;
  #offset: number;

  /** @param from - Undefined: from the very beginning. */
  constructor(path: string, from: LogPosition | undefined) {
    this.#path = path;
    this.#file = undefined;
    this.#inode = from?.inode ?? 0n;
    this.#offset = from?.offset ?? 0;
  }

  get position(): LogPosition {
    return { inode: this.#inode, offset: this.#offset };
  }

  /** The next records, up to `maxBytes`; the same again until {@link advance}. Undefined when there are none now. */
  async read(maxBytes: number): Promise<LogRecords | undefined> {
    if (this.#file === undefined && !(await this.#resume())) return undefined;
    for (;;) {
      const found = await this.#readHere(maxBytes);
      if (found) return found;
      // The writer has left this file once there is a newer one, but may have written between our last look and that.
      const next = await this.#findNext();
      if (next === undefined) return undefined;
      const late = await this.#readHere(maxBytes);
      if (late) return late;
      if (!(await this.#enter(next, 0))) return undefined;
    }
  }

  /** What is left of the file that is being read. */
  async restBytes(): Promise<number> {
    if (this.#file === undefined && !(await this.#resume())) return 0;
    return this.#file === undefined ? 0 : (await this.#file.stat()).size - this.#offset;
  }

  advance(bytes: number): void {
    this.#offset += bytes;
  }

  /** The next {@link read} opens the file again. Repeatable. */
  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #resume(): Promise<boolean> {
    const files = await listLogFiles(this.#path);
    const known = files.find(({ inode }) => inode === this.#inode);
    // What was rotated out of existence before it was read is gone; on with the oldest there is.
    const file = known ?? files[0];
    return file !== undefined && (await this.#enter(file, known ? this.#offset : 0));
  }

  async #enter(file: LogFile, offset: number): Promise<boolean> {
    const handle = await openLogFile(file);
    if (handle === undefined) return false;
    await this.#file?.close();
    this.#file = handle;
    this.#inode = file.inode;
    this.#offset = offset;
    return true;
  }

  async #readHere(maxBytes: number): Promise<LogRecords | undefined> {
    if (this.#file === undefined) return undefined;
    const length = Math.min(maxBytes, (await this.#file.stat()).size - this.#offset);
    if (length <= 0) return undefined;
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#file.read(chunk, 0, length, this.#offset);
    const whole = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
    // conmon's records are far shorter; what fills a chunk without an end is none.
    const bytes = whole === 0 && bytesRead === maxBytes ? bytesRead : whole;
    return bytes === 0 ? undefined : { records: chunk.subarray(0, whole), bytes };
  }

  async #findNext(): Promise<LogFile | undefined> {
    if ((await statLogFile(this.#path))?.inode === this.#inode) return undefined;
    const files = await listLogFiles(this.#path);
    return files[files.findIndex(({ inode }) => inode === this.#inode) + 1];
  }
}
