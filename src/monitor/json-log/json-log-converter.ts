import { LogSource } from '../log-source.ts';
import { JsonEncoder } from './json-encoder.ts';
import { JsonLogFile, type JsonLogLimits } from './json-log-file.ts';

/** One read of conmon's log; what it becomes is committed at once. */
const CHUNK_BYTES = 512 * 1024;

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

  /** The file of conmon's log that is being read; those before it are done with. */
  get sourceInode(): bigint {
    return this.#source.position.inode;
  }

  /** Whether there is more than this to read in the file that is being read. */
  async isBehind(bytes: number): Promise<boolean> {
    return (await this.#source.restBytes()) > bytes;
  }

  /** Converts what there is, until `stop` says so; the bytes read. */
  async drain(stop: (convertedBytes: number) => boolean): Promise<number> {
    let converted = 0;
    while (!stop(converted)) {
      const found = await this.#source.read(CHUNK_BYTES);
      if (found === undefined) break;
      await this.#target.append(this.#encoder.encode(found.records));
      this.#source.advance(found.bytes);
      this.#commit();
      converted += found.bytes;
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
    await this.#source.close();
    await this.#target.close();
  }

  #commit(): void {
    this.#target.commit(this.#source.position, this.#encoder.pending);
  }
}
