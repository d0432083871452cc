import { linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { isErrno } from '#lib';
import { reopenLogsMessage, sendControl } from './control.ts';
import { rotatedPath } from './log-files.ts';

const CHECK_INTERVAL_MS = 1000;

export interface RotatedLog {
  /** The process's directory, where its conmon takes control messages. */
  directory: string;
  logPath: string;
  maxSizeBytes: number;
  /** Files kept, the current one among them. */
  maxFiles: number;
  /** Whether all that was written before this file (by inode) may be dropped; always, if it does not say. */
  isDoneBefore?: ((inode: bigint) => boolean) | undefined;
  /** Somebody reads the log and may be late. */
  reader?: LogReader;
}

/** Files that a late reader needs are kept beyond the number of files, up to a size. */
export interface LogReader {
  /** The file that it is at; undefined if that is not known. */
  readingInode(): bigint | undefined;
  maxUnreadBytes: number;
  /** Files were removed that it had not read. */
  onDropped(bytes: number): void;
}

interface WatchedLog extends RotatedLog {
  /** The file that conmon was told to leave; until it does, nothing more is sent. */
  leaving: bigint | undefined;
}

/**
 * Keeps logs from growing without end: looks at their sizes every second and rotates those over their limit.
 *
 * The current file gets its rotated name as a second name before conmon is told to go on in a new one (it replaces the
 * path in one step). So no line is lost, the path is never missing, and dying in between does no harm.
 */
export class LogRotator implements Disposable {
  readonly #logs: Map<string, WatchedLog>;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#logs = new Map();
    this.#timer = undefined;
  }

  /** Takes a running container's log into care. */
  add(id: string, log: RotatedLog): void {
    this.#logs.set(id, { ...log, leaving: undefined });
    this.#timer ??= setInterval(() => void this.check(), CHECK_INTERVAL_MS).unref();
  }

  /** The container has ended. Repeatable. */
  remove(id: string): void {
    this.#logs.delete(id);
    if (this.#logs.size === 0) this[Symbol.dispose]();
  }

  /** Rotates what is over its limit now. */
  async check(): Promise<void> {
    await Promise.all([...this.#logs.values()].map(rotateIfDue));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

async function rotateIfDue(log: WatchedLog): Promise<void> {
  const current = statFile(log.logPath);
  if (current === undefined || current.inode === log.leaving || current.size <= log.maxSizeBytes) return;
  if (log.isDoneBefore?.(current.inode) === false) return;
  log.leaving = current.inode;
  if (log.maxFiles > 1 || log.reader) keepCurrent(log, current.inode);
  try {
    await sendControl(log.directory, reopenLogsMessage);
  } catch {
    // The process ended meanwhile. Its log stays whole under both names; the next run's rotation finds that.
    log.leaving = undefined;
  }
}

function keepCurrent(log: RotatedLog, inode: bigint): void {
  const rotated = listRotated(log.logPath);
  if (rotated[0]?.inode === inode) return;
  const { remove, droppedBytes } = planRemovals(rotated, log);
  for (const number of remove) rmSync(rotatedPath(log.logPath, number), { force: true });
  if (droppedBytes > 0) log.reader?.onDropped(droppedBytes);
  for (const { number } of rotated.filter((file) => !remove.includes(file.number)).toReversed()) {
    ifThere(() => renameSync(rotatedPath(log.logPath, number), rotatedPath(log.logPath, number + 1)));
  }
  linkSync(log.logPath, rotatedPath(log.logPath, 1));
}

interface RotatedFile {
  number: number;
  inode: bigint;
  size: number;
}

/** Newest first: `.1`, `.2` and so on. */
function listRotated(logPath: string): RotatedFile[] {
  const files: RotatedFile[] = [];
  for (let number = 1; ; number++) {
    const file = statFile(rotatedPath(logPath, number));
    if (!file) return files;
    files.push({ number, ...file });
  }
}

/** Which rotated files make room for one more: those beyond the number to keep that were read, or that are too much. */
export function planRemovals(
  rotated: readonly RotatedFile[],
  { maxFiles, reader }: Pick<RotatedLog, 'maxFiles' | 'reader'>,
): { remove: number[]; droppedBytes: number } {
  const readingInode = reader?.readingInode();
  const readingAt = rotated.findIndex(({ inode }) => inode === readingInode);
  const remove: number[] = [];
  let unreadBytes = 0;
  let droppedBytes = 0;
  for (const [index, { number, size }] of rotated.entries()) {
    const unread = reader !== undefined && (readingInode === undefined || index <= readingAt);
    if (unread) unreadBytes += size;
    if (number < maxFiles - 1) continue;
    if (unread && unreadBytes <= reader.maxUnreadBytes) continue;
    remove.push(number);
    if (unread) droppedBytes += size;
  }
  return { remove, droppedBytes };
}

function statFile(path: string): { inode: bigint; size: number } | undefined {
  return ifThere(() => {
    const stats = statSync(path, { bigint: true });
    return { inode: stats.ino, size: Number(stats.size) };
  });
}

function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
