import { LogSource } from '../log-source.ts';
import type { FollowedLog } from '../log-followers.ts';
import { JsonEncoder } from './json-encoder.ts';
import { JsonLogFile, type JsonLogLimits } from './json-log-file.ts';

/** One read of conmon's log; what it becomes is committed at once. */
const CHUNK_BYTES = 512 * 1024;
/** After a failure, a full disk mostly. */
const RETRY_MS = 5000;

export interface JsonLog extends JsonLogLimits {
  /** The log that conmon writes. */
  sourcePath: string;
  path: string;
  /** Where to keep how far the conversion is. */
  statePath: string;
  /** The `attrs` of every line. */
  attributes: Readonly<Record<string, string>>;
}

/** A container's json-file, for those who follow logs. */
export function followJsonLog(log: JsonLog): FollowedLog {
  return { sourcePath: log.sourcePath, retryMs: RETRY_MS, open: () => JsonLogConverter.open(log) };
}

/** Converts conmon's log into a json-file, from where it was left. One call at a time. */
class JsonLogConverter {
  readonly #source: LogSource;
  readonly #target: JsonLogFile;
  readonly #encoder: JsonEncoder;

  static async open(log: JsonLog): Promise<JsonLogConverter> {
    const target = await JsonLogFile.open(log.path, log.statePath, log);
    return new JsonLogConverter(log, target);
  }

  private constructor(log: JsonLog, target: JsonLogFile) {
    this.#source = new LogSource(log.sourcePath, target.source);
    this.#target = target;
    this.#encoder = new JsonEncoder(log.attributes, target.pending);
  }

  get sourceInode(): bigint {
    return this.#source.position.inode;
  }

  async drain(stop: () => boolean): Promise<boolean> {
    let converted = false;
    while (!stop()) {
      const found = await this.#source.read(CHUNK_BYTES);
      if (found === undefined) break;
      await this.#target.append(this.#encoder.encode(found.records));
      this.#source.advance(found.bytes);
      this.#commit();
      converted = true;
    }
    return converted;
  }

  async finish(): Promise<void> {
    const rest = this.#encoder.end();
    if (rest.length === 0) return;
    await this.#target.append(rest);
    this.#commit();
  }

  async close(): Promise<void> {
    await this.#source.close();
    await this.#target.close();
  }

  #commit(): void {
    this.#target.commit(this.#source.position, this.#encoder.pending);
  }
}
