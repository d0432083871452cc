import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isKind } from '#errors';
import { ATTACH_SCRATCH_BYTES, SocketConnection } from './attach.ts';
import type {
  AttachConnection,
  AttachRequest,
  AttachSockets,
  Launched,
  LaunchFiles,
  LaunchProcesses,
  LaunchRequest,
  PreparedExec,
  ProcessExit,
  TerminalSize,
} from './contract.ts';
import { reopenLogsMessage, resizeMessage, sendControl } from './control.ts';
import { attachFailed } from './errors.ts';
import { ExitWatcher } from './exit-watcher.ts';
import type { ConmonPlace, LaunchedConmon } from './conmon-process.ts';
import { launchConmon } from './launch.ts';
import { PreparedConmon } from './prepared-exec.ts';

export interface MonitorOptions {
  /** `sockets` of `#sys`. */
  sockets: AttachSockets;
  /** `processes` of `#sys`. */
  processes: LaunchProcesses;
  /** `files` of `#sys`. */
  files: LaunchFiles;
  conmonPath: string;
  /** Where exit files wait; on a file system that is emptied at boot. Short (under 60 characters): sockets lie in it. */
  directory: string;
  /**
   * Told once for every process that ended, also for those that ended before {@link Monitor.open}. What was told and
   * not acknowledged is told again by the next life of this program.
   */
  onExit: (exit: ProcessExit) => void;
  /** A conmon launched by us went away without saying how its process ended; nobody holds the process's stdio any more. */
  onLost: (process: Pick<ProcessExit, 'kind' | 'id' | 'containerId'>) => void;
}

/** A conmon ends within milliseconds of its process; one that hangs longer than this will not hurt any more. */
const FORMER_RUN_MS = 2000;

/**
 * The engine's hold on its conmons.
 *
 * The order for a container: `launch` (the runtime creates the process), attach, then the runtime's `start`. For an
 * exec: `prepareExec`, then its `start`; attach in `beforeStart`. An exit is told by `onExit`; put it on record, then
 * `acknowledge`.
 */
export class Monitor implements Disposable {
  readonly #options: MonitorOptions;
  readonly #exits: ExitWatcher;
  /** By `kind/id`: launches of this life whose end was not told yet. */
  readonly #running: Map<string, symbol>;
  /** By container ID: conmons of this life, each until it is gone. */
  readonly #conmons: Map<string, Promise<void>>;
  #scratch: Buffer | undefined;
  #closed: boolean;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#running = new Map();
    this.#conmons = new Map();
    this.#exits = new ExitWatcher(join(options.directory, 'exits'), (exit) => {
      this.#running.delete(`${exit.kind}/${exit.id}`);
      options.onExit(exit);
    });
    this.#scratch = undefined;
    this.#closed = false;
  }

  /** Begins to watch for exits. */
  open(): void {
    mkdirSync(this.#temporaryDirectory, { recursive: true, mode: 0o700 });
    this.#exits.open();
  }

  /**
   * Launches a container.
   *
   * @throws internal `LAUNCH_FAILED` with the runtime's own message (`executable file ... not found` and the like);
   * nothing runs then.
   */
  async launch(request: LaunchRequest): Promise<Launched> {
    const { id } = request;
    // The exit file of a run that is still ending must not be taken for this one's.
    await settledWithin(this.#conmons.get(id), FORMER_RUN_MS);
    try {
      const conmon = await launchConmon(request, this.#place(request));
      this.#keepConmon(id, conmon.ended);
      return this.#launched(request, conmon);
    } catch (error) {
      this.#exits.acknowledge('container', id);
      throw error;
    }
  }

  /**
   * Starts what an exec needs and takes time; the caller starts it soon, or withdraws it. The directory of the request's
   * process file is there and for root alone.
   *
   * @throws internal `LAUNCH_FAILED` when conmon cannot be started.
   */
  prepareExec(request: LaunchRequest): PreparedExec {
    const forget = (): void => this.#exits.acknowledge('exec', request.id);
    try {
      const prepared = new PreparedConmon(request, this.#place(request));
      return {
        start: async (description, beforeStart) => {
          try {
            return this.#launched(request, await prepared.start(description, beforeStart));
          } catch (error) {
            forget();
            throw error;
          }
        },
        withdraw: async () => {
          if (await prepared.withdraw()) forget();
        },
      };
    } catch (error) {
      forget();
      throw error;
    }
  }

  #place({ kind, id }: LaunchRequest): ConmonPlace {
    return {
      processes: this.#options.processes,
      files: this.#options.files,
      conmonPath: this.#options.conmonPath,
      exitDirectory: this.#exits.prepare(kind, id),
      temporaryDirectory: this.#temporaryDirectory,
    };
  }

  #launched({ kind, id, containerId }: LaunchRequest, { pid, conmonPid, ended }: LaunchedConmon): Launched {
    const launch = Symbol(id);
    this.#running.set(`${kind}/${id}`, launch);
    // Not before the caller has got its answer, however quick the process was.
    void ended.then(() => setImmediate(() => this.#conmonEnded({ kind, id, containerId }, launch)));
    return { pid, conmonPid };
  }

  /**
   * Joins a process's stdio: everything it writes from now on is in the connection's output. Any number of clients can;
   * the slowest sets the pace. The caller disposes the connection.
   *
   * @throws conflict when the process has ended.
   */
  attach(request: AttachRequest): AttachConnection {
    const { sockets } = this.#options;
    this.#scratch ??= Buffer.alloc(ATTACH_SCRATCH_BYTES);
    try {
      const fd = sockets.connectSeqpacket(join(request.directory, 'attach'));
      return new SocketConnection(fd, { sockets, scratch: this.#scratch, mayEndStdin: request.stdin });
    } catch (error) {
      if (isKind(error, 'notFound') || isKind(error, 'unavailable')) throw attachFailed(request.directory, error);
      throw error;
    }
  }

  /** The exit of this process is on record: it is not told again. Repeatable. */
  acknowledge(kind: 'container' | 'exec', id: string): void {
    this.#exits.acknowledge(kind, id);
  }

  /** @throws conflict when the process has ended. */
  async resize(directory: string, size: TerminalSize): Promise<void> {
    await sendControl(directory, resizeMessage(size));
  }

  /** Makes conmon go on in a new file at its log's path. @throws conflict when the process has ended. */
  async reopenLogs(directory: string): Promise<void> {
    await sendControl(directory, reopenLogsMessage);
  }

  /** Stops watching. conmons and their processes go on; their exits are told by the next life. Repeatable. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#exits[Symbol.dispose]();
  }

  #keepConmon(id: string, ended: Promise<void>): void {
    this.#conmons.set(id, ended);
    void ended.then(() => {
      if (this.#conmons.get(id) === ended) this.#conmons.delete(id);
    });
  }

  get #temporaryDirectory(): string {
    return join(this.#options.directory, 'tmp');
  }

  /** The sync pipe is a second witness beside inotify: it also tells of a conmon that was killed. */
  #conmonEnded(process: Pick<ProcessExit, 'kind' | 'id' | 'containerId'>, launch: symbol): void {
    const key = `${process.kind}/${process.id}`;
    if (this.#closed || this.#running.get(key) !== launch || this.#exits.check(process.kind, process.id)) return;
    this.#running.delete(key);
    this.#options.onLost(process);
  }
}

async function settledWithin(promise: Promise<void> | undefined, timeoutMs: number): Promise<void> {
  if (promise === undefined) return;
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  await Promise.race([promise, timeout.promise]);
  clearTimeout(timer);
}
