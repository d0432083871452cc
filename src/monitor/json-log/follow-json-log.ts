import type { FollowedLog, LogConsumer } from '../log-followers.ts';
import { JsonLogConverter, type JsonLog } from './json-log-converter.ts';
import { jsonLogThread } from './json-log-thread.ts';

/** After a failure, a full disk mostly. */
const RETRY_MS = 5000;
/** The file goes right after: longer than this nobody would have read it to the end anyway. */
const REMOVAL_MS = 200;
/** What is more than this is for the thread. */
const BULK_BYTES = 1024 * 1024;

/** A container's json-file, for those who follow logs. */
export function followJsonLog(log: JsonLog): FollowedLog {
  return {
    sourcePath: log.sourcePath,
    retryMs: RETRY_MS,
    removalMs: REMOVAL_MS,
    open: () => Promise.resolve(new JsonLogConsumer(log)),
  };
}

/** Converts little by itself and leaves bulk to a thread. Who takes over goes on from what was committed. */
class JsonLogConsumer implements LogConsumer {
  readonly #log: JsonLog;
  #converter: JsonLogConverter | undefined;
  #inode: bigint;

  constructor(log: JsonLog) {
    this.#log = log;
    this.#converter = undefined;
    this.#inode = 0n;
  }

  get sourceInode(): bigint {
    return this.#converter?.sourceInode ?? this.#inode;
  }

  async drain(stop: () => boolean): Promise<boolean> {
    let converted = false;
    while (!stop()) {
      const converter = await this.#open();
      if (!(await converter.isBehind(BULK_BYTES))) return (await converter.drain(stop)) > 0 || converted;
      this.#inode = converter.sourceInode;
      await this.close();
      this.#inode = await jsonLogThread.convert(this.#log);
      converted = true;
    }
    return converted;
  }

  async finish(): Promise<void> {
    await (await this.#open()).finish();
  }

  async close(): Promise<void> {
    const converter = this.#converter;
    this.#converter = undefined;
    await converter?.close();
  }

  async #open(): Promise<JsonLogConverter> {
    return (this.#converter ??= await JsonLogConverter.open(this.#log));
  }
}
