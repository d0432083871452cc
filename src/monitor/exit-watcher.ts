import { type FSWatcher, mkdirSync, readFileSync, readdirSync, rmSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isErrno, nowNano } from '#lib';
import type { ProcessExit } from './contract.ts';

const ID = /^[0-9a-f]{64}$/;

/**
 * Exit files, one per ended process, kept until someone took note:
 *
 * ```
 * <directory>/containers/<container id>            the exit code in decimal; its mtime is the time of the end
 * <directory>/execs/<exec id>/<container id>       conmon names the file after the container, so execs get folders
 * ```
 *
 * conmon writes beside and renames, so a file that is there is whole. Every exit is told once per file; the file
 * stays, and is told again after a restart of ours, until {@link ExitWatcher.acknowledge}.
 */
export class ExitWatcher implements Disposable {
  readonly #containers: string;
  readonly #execs: string;
  readonly #onExit: (exit: ProcessExit) => void;
  /** mtime of the exit told for each `kind/id`. */
  readonly #told: Map<string, bigint>;
  readonly #watchers: Map<string, FSWatcher>;

  constructor(directory: string, onExit: (exit: ProcessExit) => void) {
    this.#containers = join(directory, 'containers');
    this.#execs = join(directory, 'execs');
    this.#onExit = onExit;
    this.#told = new Map();
    this.#watchers = new Map();
  }

  /** Begins to watch, and tells what ended before. */
  open(): void {
    mkdirSync(this.#containers, { recursive: true, mode: 0o700 });
    mkdirSync(this.#execs, { recursive: true, mode: 0o700 });
    this.#watch(this.#containers, (name) => this.#tellContainer(name));
    for (const name of readdirSync(this.#containers)) this.#tellContainer(name);
    for (const id of readdirSync(this.#execs)) if (ID.test(id)) this.#watchExec(id);
  }

  /** The exit directory for a process about to be launched; a former exit of the same id is forgotten. */
  prepare(kind: 'container' | 'exec', id: string): string {
    this.#told.delete(`${kind}/${id}`);
    if (kind === 'container') {
      rmSync(join(this.#containers, id), { force: true });
      return this.#containers;
    }
    const directory = join(this.#execs, id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  /** Looks for the exit file now, without waiting for the kernel's notice. Returns whether there is one. */
  check(kind: 'container' | 'exec', id: string): boolean {
    if (kind === 'container') return this.#tellContainer(id);
    const names = ifThere(() => readdirSync(join(this.#execs, id))) ?? [];
    return names.some((name) => this.#tellExec(id, name));
  }

  /** The exit that was told is on record elsewhere: its file goes. A later one of the same id stays. Repeatable. */
  acknowledge(kind: 'container' | 'exec', id: string): void {
    const told = this.#told.get(`${kind}/${id}`);
    if (kind === 'container') {
      const path = join(this.#containers, id);
      if (told === undefined || statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs !== told) return;
      this.#told.delete(`${kind}/${id}`);
      rmSync(path, { force: true });
      return;
    }
    this.#told.delete(`${kind}/${id}`);
    const directory = join(this.#execs, id);
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
    rmSync(directory, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** An exec of a former life of ours; of our own the sync pipe tells sooner. */
  #watchExec(id: string): void {
    this.#watch(join(this.#execs, id), (name) => this.#tellExec(id, name));
    this.check('exec', id);
  }

  #watch(directory: string, onName: (name: string) => void): void {
    const watcher = watch(directory, (_event, name) => {
      if (name !== null) onName(name);
    });
    watcher.on('error', () => watcher.close());
    this.#watchers.set(directory, watcher);
  }

  #tellContainer(name: string): boolean {
    return this.#tell(join(this.#containers, name), { kind: 'container', id: name, containerId: name });
  }

  #tellExec(id: string, name: string): boolean {
    return this.#tell(join(this.#execs, id, name), { kind: 'exec', id, containerId: name });
  }

  #tell(path: string, process: Pick<ProcessExit, 'kind' | 'id' | 'containerId'>): boolean {
    if (!ID.test(process.containerId)) return false;
    const file = ifThere(() => ({
      mtime: statSync(path, { bigint: true }).mtimeNs,
      text: readFileSync(path, 'latin1'),
    }));
    if (file === undefined) return false;
    const key = `${process.kind}/${process.id}`;
    if (this.#told.get(key) === file.mtime) return true;
    this.#told.set(key, file.mtime);
    this.#onExit({ ...process, exitCode: parseExitCode(file.text), finishedAt: timeOfEnd(file.mtime) });
    return true;
  }
}

/** conmon writes -1 when it cannot tell; 255 is what that is to a shell. */
function parseExitCode(text: string): number {
  const code = Number.parseInt(text, 10);
  return Number.isNaN(code) || code < 0 ? 255 : code;
}

/**
 * Files are stamped with the clock of the last timer tick, up to 10 ms ago, which can lie before the process's last
 * log line. An exit seen within a tick is therefore dated now.
 */
function timeOfEnd(mtime: bigint): bigint {
  const now = nowNano();
  return now > mtime && now - mtime <= 10_000_000n ? now : mtime;
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
