import { type FSWatcher, watch } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogLine, ReadLogsOptions } from './contract.ts';
import { CriParser } from './cri-parser.ts';
import { listLogFiles, type LogFile, openLogFile, statLogFile } from './log-files.ts';
import { TailCounter } from './log-tail.ts';

const CHUNK_BYTES = 128 * 1024;

/**
 * The lines of a log that conmon writes, oldest first, through all its rotated files.
 *
 * `tail` counts before `since` and `until` pick, as in Docker. Without `follow` it ends with what was there when it
 * began. The log's directory must exist; a log not begun yet is empty, or waited for with `follow`.
 *
 * @throws the signal's reason when it aborts.
 */
export async function* readLogs(path: string, options: ReadLogsOptions): AsyncGenerator<LogLine, void, undefined> {
  for await (const batch of readLogBatches(path, options)) yield* batch;
}

/** {@link readLogs} in batches as they are read, for bulk. Never yields an empty one. */
export async function* readLogBatches(
  path: string,
  options: ReadLogsOptions,
): AsyncGenerator<LogLine[], void, undefined> {
  options.signal?.throwIfAborted();
  if (!options.follow && options.tail === 0) return;
  using changes = options.follow ? new ChangeSignal(path, options) : undefined;
  await using cursor = new LogCursor(path);
  await cursor.begin(options);
  for await (const lines of cursor.read(changes)) {
    options.signal?.throwIfAborted();
    const passing = lines.filter((line) => isWithin(line, options));
    if (passing.length > 0) yield passing;
    const last = lines.at(-1);
    if (last && options.until !== undefined && last.time > options.until) return;
  }
  options.signal?.throwIfAborted();
}

function isWithin(line: LogLine, { since, until }: ReadLogsOptions): boolean {
  return (since === undefined || line.time >= since) && (until === undefined || line.time <= until);
}

/** A place in a log that moves on from file to file. */
class LogCursor implements AsyncDisposable {
  readonly #path: string;
  readonly #parser: CriParser;
  #file: FileHandle | undefined;
  #inode: bigint;
  #offset: number;

  constructor(path: string) {
    this.#path = path;
    this.#parser = new CriParser();
    this.#file = undefined;
    this.#inode = 0n;
    this.#offset = 0;
  }

  /** Goes to the first file, and the place in it, that the options ask for. */
  async begin(options: ReadLogsOptions): Promise<void> {
    if (options.tail !== undefined) {
      await this.#beginAtTail(options.tail);
      return;
    }
    const { since } = options;
    for (const file of await listLogFiles(this.#path)) {
      if (since !== undefined && file.modifiedAt < since && file.path !== this.#path) continue;
      if (await this.#enter(file, 0)) return;
    }
  }

  /** Batches of lines until everything is read; with `changes` until those are over, too. */
  async *read(changes: ChangeSignal | undefined): AsyncGenerator<LogLine[], void, undefined> {
    for (;;) {
      const over = changes?.isOver ?? true;
      const seen = changes?.count;
      yield* this.#readFile(changes === undefined);
      // The writer has left this file once there is a newer one, but may have written between our last look and that.
      const next = await this.#findNext();
      if (next !== undefined) {
        yield* this.#readFile(false);
        await this.#enter(next, 0);
      } else if (over) {
        const rest = this.#parser.flush();
        if (rest.length > 0) yield rest;
        return;
      } else {
        await changes?.after(seen ?? 0);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #beginAtTail(lines: number): Promise<void> {
    const counter = new TailCounter(lines);
    for (const file of (await listLogFiles(this.#path)).reverse()) {
      const former = { file: this.#file, inode: this.#inode };
      const handle = await openLogFile(file);
      if (handle === undefined) return;
      await former.file?.close();
      this.#file = handle;
      this.#inode = file.inode;
      const offset = await counter.goBack(handle);
      this.#offset = offset ?? 0;
      if (offset !== undefined) return;
    }
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

  /** With `bounded` only up to the size at the beginning, so that a busy writer cannot keep us for ever. */
  async *#readFile(bounded: boolean): AsyncGenerator<LogLine[], void, undefined> {
    if (this.#file === undefined) return;
    const limit = bounded ? (await this.#file.stat()).size : Number.POSITIVE_INFINITY;
    while (this.#offset < limit) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, limit - this.#offset));
      const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const lines = this.#parser.push(chunk.subarray(0, bytesRead));
      if (lines.length > 0) yield lines;
    }
  }

  async #findNext(): Promise<LogFile | undefined> {
    if ((await statLogFile(this.#path))?.inode === this.#inode) return undefined;
    const files = await listLogFiles(this.#path);
    if (this.#file === undefined) return files[0];
    // A file rotated out of existence is index -1: go on with the oldest there is.
    return files[files.findIndex((file) => file.inode === this.#inode) + 1];
  }
}

/** Tells that something happened in a log's directory, or that nothing will any more. */
class ChangeSignal implements Disposable {
  readonly #watcher: FSWatcher;
  readonly #listening: AbortController;
  #count: number;
  #over: boolean;
  #wake: () => void;

  constructor(path: string, { finished, signal }: ReadLogsOptions) {
    this.#count = 0;
    this.#over = false;
    this.#wake = () => undefined;
    this.#listening = new AbortController();
    this.#watcher = watch(dirname(path), () => this.#notice());
    this.#watcher.on('error', () => this.#end());
    void finished?.then(
      () => this.#end(),
      () => this.#end(),
    );
    signal?.addEventListener('abort', () => this.#end(), { signal: this.#listening.signal });
  }

  /** How many changes there were so far. */
  get count(): number {
    return this.#count;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Waits until there were more changes than `seen`, or all is over. */
  async after(seen: number): Promise<void> {
    if (this.#count > seen || this.#over) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.#listening.abort();
    this.#watcher.close();
  }

  #notice(): void {
    this.#count++;
    this.#wake();
  }

  #end(): void {
    this.#over = true;
    this.#notice();
  }
}
