import type { FileHandle } from 'node:fs/promises';
import { listLogFiles, type LogFile, openLogFile, statLogFile } from '../log-files.ts';
import { JsonEncoder } from './json-encoder.ts';
import { JsonLogFile, type JsonLogLimits } from './json-log-file.ts';

/** One read of conmon's log; what it becomes is committed at once. */
const CHUNK_BYTES = 512 * 1024;
const NEWLINE = 0x0a;

export interface JsonLog extends JsonLogLimits {
  /** The log that conmon writes. */
  sourcePath: string;
  path: string;
  /** Where to keep how far the conversion is. */
  statePath: string;
  /** The `attrs` of every line. */
  attributes: Readonly<Record<string, string>>;
}

/** Converts conmon's log into a json-file, from where it was left. One call at a time. */
export class JsonLogConverter {
  readonly #sourcePath: string;
  readonly #target: JsonLogFile;
  readonly #encoder: JsonEncoder;
  #file: FileHandle | undefined;
  #inode: bigint;
  #offset: number;

  static async open(log: JsonLog): Promise<JsonLogConverter> {
    const target = await JsonLogFile.open(log.path, log.statePath, log);
    return new JsonLogConverter(log, target);
  }

  private constructor(log: JsonLog, target: JsonLogFile) {
    this.#sourcePath = log.sourcePath;
    this.#target = target;
    this.#encoder = new JsonEncoder(log.attributes, target.pending);
    this.#file = undefined;
    this.#inode = target.source?.inode ?? 0n;
    this.#offset = target.source?.offset ?? 0;
  }

  /** The file of conmon's log that is being read; those before it are done with. */
  get sourceInode(): bigint {
    return this.#inode;
  }

  /**
   * Converts what there is, until `stop` says so.
   *
   * @returns whether there was anything.
   */
  async drain(stop: () => boolean): Promise<boolean> {
    let converted = false;
    if (this.#file === undefined && !(await this.#resume())) return false;
    while (!stop()) {
      if (await this.#convertChunk()) converted = true;
      else if (!(await this.#toNextFile())) break;
    }
    return converted;
  }

  /** The run is over: a last line without an end is written, too. After {@link drain}. */
  async finish(): Promise<void> {
    const rest = this.#encoder.end();
    if (rest.length === 0) return;
    await this.#target.append(rest);
    this.#commit();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    await this.#target.close();
  }

  async #resume(): Promise<boolean> {
    const files = await listLogFiles(this.#sourcePath);
    const known = files.find(({ inode }) => inode === this.#inode);
    // What was rotated out of existence before it was converted is gone; on with the oldest there is.
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

  async #convertChunk(): Promise<boolean> {
    if (this.#file === undefined) return false;
    const length = Math.min(CHUNK_BYTES, (await this.#file.stat()).size - this.#offset);
    if (length <= 0) return false;
    const chunk = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#file.read(chunk, 0, length, this.#offset);
    const whole = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
    // conmon's records are far shorter; what fills a chunk without an end is none.
    const taken = whole === 0 && bytesRead === CHUNK_BYTES ? bytesRead : whole;
    if (taken === 0) return false;
    await this.#target.append(this.#encoder.encode(chunk.subarray(0, whole)));
    this.#offset += taken;
    this.#commit();
    return true;
  }

  /** The writer has left this file once there is a newer one, but may have written between our last look and that. */
  async #toNextFile(): Promise<boolean> {
    if ((await statLogFile(this.#sourcePath))?.inode === this.#inode) return false;
    const files = await listLogFiles(this.#sourcePath);
    const next = files[files.findIndex(({ inode }) => inode === this.#inode) + 1];
    if (next === undefined) return false;
    while (await this.#convertChunk());
    return await this.#enter(next, 0);
  }

  #commit(): void {
    this.#target.commit({ inode: this.#inode, offset: this.#offset }, this.#encoder.pending);
  }
}
