import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { JsonLogConverter, type JsonLog } from './json-log-converter.ts';

/** A busy log is looked at this often; an idle one costs nothing until something is written. */
const BUSY_INTERVAL_MS = 200;
/** After a failure, a full disk mostly. */
const RETRY_MS = 5000;

export interface JsonLogsOptions {
  onError: (id: string, error: unknown) => void;
}

/** Keeps json-files abreast of the logs that conmon writes, for every container that runs. */
export class JsonLogs implements Disposable {
  readonly #options: JsonLogsOptions;
  readonly #followers: Map<string, Follower>;

  constructor(options: JsonLogsOptions) {
    this.#options = options;
    this.#followers = new Map();
  }

  /** Follows a log from where its conversion was left. Repeatable. */
  add(id: string, log: JsonLog): void {
    if (this.#followers.has(id)) return;
    const follower = new Follower(log, (error) => this.#options.onError(id, error));
    this.#followers.set(id, follower);
    follower.start();
  }

  /** The run has ended: converts what is left. Nothing to do for a log that is not followed. Repeatable. */
  async finish(id: string): Promise<void> {
    const follower = this.#followers.get(id);
    if (!follower) return;
    this.#followers.delete(id);
    try {
      await follower.finish();
    } catch (error) {
      this.#options.onError(id, error);
    }
  }

  /** Whether all files before this one are converted, so that the oldest may go. True for a log that is not followed. */
  isDoneBefore(id: string, inode: bigint): boolean {
    return this.#followers.get(id)?.isDoneBefore(inode) ?? true;
  }

  /** Stops after what is being written. The next life goes on from there. */
  [Symbol.dispose](): void {
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
  }
}

class Follower {
  readonly #log: JsonLog;
  readonly #onError: (error: unknown) => void;
  #converter: JsonLogConverter | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void>;
  #stopped: boolean;

  constructor(log: JsonLog, onError: (error: unknown) => void) {
    this.#log = log;
    this.#onError = onError;
    this.#converter = undefined;
    this.#watcher = undefined;
    this.#timer = undefined;
    this.#turn = Promise.resolve();
    this.#stopped = false;
  }

  start(): void {
    this.#wakeAfter(0);
  }

  isDoneBefore(inode: bigint): boolean {
    return this.#converter?.sourceInode === inode;
  }

  stop(): void {
    this.#stopped = true;
    this.#sleep();
    this.#turn = this.#turn.then(() => this.#converter?.close());
    this.#turn.catch(() => undefined);
  }

  async finish(): Promise<void> {
    this.#stopped = true;
    this.#sleep();
    await this.#turn;
    const converter = (this.#converter ??= await JsonLogConverter.open(this.#log));
    try {
      await converter.drain(() => false);
      await converter.finish();
    } finally {
      await converter.close();
    }
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #wakeAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#work());
    }, ms);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.#converter ??= await JsonLogConverter.open(this.#log);
      const converted = await this.#converter.drain(() => this.#stopped);
      if (this.#stopped) return;
      if (converted) this.#wakeAfter(BUSY_INTERVAL_MS);
      else await this.#wait();
    } catch (error) {
      this.#onError(error);
      if (!this.#stopped) this.#wakeAfter(RETRY_MS);
    }
  }

  /** Until conmon writes. What it wrote between the last look and the first watch is found by one more look. */
  async #wait(): Promise<void> {
    const name = basename(this.#log.sourcePath);
    const watcher = watch(dirname(this.#log.sourcePath), (_event, file) => {
      if (file !== name || this.#watcher !== watcher) return;
      this.#sleep();
      this.#wakeAfter(0);
    });
    this.#watcher = watcher;
    watcher.unref();
    watcher.on('error', () => undefined);
    const found = await this.#converter?.drain(() => this.#stopped);
    if (!found || this.#stopped || this.#watcher !== watcher) return;
    this.#sleep();
    this.#wakeAfter(BUSY_INTERVAL_MS);
  }
}
