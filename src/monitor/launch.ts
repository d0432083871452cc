import { closeSync, readFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '#lib';
import { runtimeMessage } from '#spec';
import type { Launched, LaunchProcesses, LaunchRequest } from './contract.ts';
import { conmonArgs, conmonPidFile } from './conmon-args.ts';
import { launchFailed } from './errors.ts';
import { type SyncMessage, SyncMessageParser } from './sync-messages.ts';

export interface ConmonPlace {
  processes: LaunchProcesses;
  conmonPath: string;
  exitDirectory: string;
  /** A short path: conmon makes a terminal's rendezvous socket in it. */
  temporaryDirectory: string;
}

export interface LaunchedConmon extends Launched {
  /** Resolves when conmon tells the exit (an exec's) or goes away. */
  ended: Promise<void>;
}

/** The pipes of a launch: where conmon has them among its descriptors. */
const STDERR_FD = 2;
const SYNC_FD = 3;
const START_FD = 4;
const ATTACH_FD = 5;
/** conmon's first process ends as soon as the second runs; how long to wait before looking for its end. */
const REAP_DELAYS_MS = [0, 10, 100, 1000, 10_000, 60_000];
/** How long the process id of a conmon that is given up may take to appear. */
const PID_FILE_ATTEMPTS = 1000;
const PID_FILE_DELAY_MS = 10;

/**
 * Starts conmon, which becomes a daemon of its own, and waits until the runtime under it has made the process.
 *
 * @throws internal `LAUNCH_FAILED` with the runtime's message.
 */
export async function launchConmon(request: LaunchRequest, place: ConmonPlace): Promise<LaunchedConmon> {
  const conmon = startConmon(request, place);
  const sync = new MessagePipe(conmon.sync);
  try {
    // Only until conmon is a daemon: then it lets go of standard error.
    const complaints = collectText(conmon.stderr);
    if (conmon.gate) await openGate(conmon.gate, sync, request);
    const first = await sync.next();
    if (first === undefined || first.data < 0) {
      const message = runtimeMessage(first?.message ?? (await complaints));
      throw launchFailed(request.id, message || 'conmon ended without a word');
    }
    sync.unref();
    return { pid: first.data, conmonPid: parentOf(first.data), ended: sync.next().then(() => undefined) };
  } finally {
    void reapLater(conmon.pid, place.processes);
  }
}

/** Our ends of the two pipes that hold an exec back until somebody is attached. */
interface Gate {
  startFd: number;
  attach: Socket;
}

interface StartedConmon {
  pid: number;
  stderr: Socket;
  sync: Socket;
  gate: Gate | undefined;
}

function startConmon(request: LaunchRequest, place: ConmonPlace): StartedConmon {
  const { processes } = place;
  const gated = request.beforeStart !== undefined;
  using conmonEnds = new DisposableStack();
  using ourEnds = new DisposableStack();
  const keep = (stack: DisposableStack, fd: number): number => {
    stack.defer(() => closeSync(fd));
    return fd;
  };
  const fds: (number | 'null')[] = ['null', 'null'];
  const ours: number[] = [];
  for (const target of gated ? [STDERR_FD, SYNC_FD, START_FD, ATTACH_FD] : [STDERR_FD, SYNC_FD]) {
    const { readFd, writeFd } = processes.createPipe();
    const [theirs, own] = target === START_FD ? [readFd, writeFd] : [writeFd, readFd];
    fds[target] = keep(conmonEnds, theirs);
    ours[target] = keep(ourEnds, own);
  }
  const pid = spawnConmon(request, place, fds);
  ourEnds.move();
  const reading = (target: number): Socket => new Socket({ fd: ours[target], readable: true, writable: false });
  return {
    pid,
    stderr: reading(STDERR_FD),
    sync: reading(SYNC_FD),
    gate: gated ? { startFd: ours[START_FD] ?? -1, attach: reading(ATTACH_FD) } : undefined,
  };
}

function spawnConmon(request: LaunchRequest, place: ConmonPlace, fds: readonly (number | 'null')[]): number {
  try {
    return place.processes.spawnDetached({
      path: place.conmonPath,
      args: conmonArgs(request, place.exitDirectory),
      env: conmonEnvironment(request.beforeStart !== undefined, place.temporaryDirectory),
      fds,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw launchFailed(request.id, `cannot start conmon: ${reason}`, error);
  }
}

function conmonEnvironment(gated: boolean, temporaryDirectory: string): Record<string, string> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    TMPDIR: temporaryDirectory,
    _OCI_SYNCPIPE: String(SYNC_FD),
    ...(gated ? { _OCI_STARTPIPE: String(START_FD), _OCI_ATTACHPIPE: String(ATTACH_FD) } : {}),
  };
}

/**
 * conmon waits for a byte before it does anything, says when its attach socket listens, and waits for another byte
 * before it runs the exec.
 */
async function openGate(gate: Gate, sync: MessagePipe, request: LaunchRequest): Promise<void> {
  using attach = new MessagePipe(gate.attach);
  try {
    writeByte(gate.startFd);
    // Without this message conmon failed, and the sync pipe (or its end) tells how.
    if ((await Promise.race([attach.next(), sync.peek()])) === undefined) return;
    try {
      await request.beforeStart?.();
    } catch (error) {
      // For conmon the end of the pipe is as good as the byte, so it must be gone by then.
      await killWaiting(request);
      await sync.ended();
      throw error;
    }
    writeByte(gate.startFd);
  } finally {
    closeSync(gate.startFd);
  }
}

/** A byte always fits into the pipe. A conmon that went away says so on its other pipes. */
function writeByte(fd: number): void {
  try {
    writeSync(fd, '1');
  } catch (error) {
    if (!isErrno(error, 'EPIPE')) throw error;
  }
}

async function reapLater(pid: number, processes: LaunchProcesses): Promise<void> {
  for (const delayMs of REAP_DELAYS_MS) {
    if (processes.reap(pid) !== undefined || !processes.processExists(pid)) return;
    await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref());
  }
}

/**
 * Ends a conmon that has not run its exec yet, and what it forked for that: the whole process group, since a fork that is
 * not yet tied to its parent's death would wait on, and run the exec when our end of the pipe closes.
 */
async function killWaiting(request: LaunchRequest): Promise<void> {
  const pid = await waitingConmon(conmonPidFile(request));
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** conmon's first process writes the file while its second goes on, so it may come after the first message. */
async function waitingConmon(pidFile: string): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const pid = Number(readIfThere(pidFile));
    if (Number.isInteger(pid) && pid > 1) return pid;
    if (attempt === PID_FILE_ATTEMPTS) throw new Error(`conmon wrote no process id to ${pidFile}`);
    await delay(PID_FILE_DELAY_MS);
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** Lines of JSON from one of conmon's pipes, one at a time; undefined after the end. */
class MessagePipe implements Disposable {
  readonly #pipe: Socket;
  readonly #parser: SyncMessageParser;
  readonly #messages: SyncMessage[];
  #ended: boolean;
  #wake: (() => void)[];

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    this.#parser = new SyncMessageParser();
    this.#messages = [];
    this.#ended = false;
    this.#wake = [];
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => this.#arrived(this.#parser.push(chunk)));
    pipe.on('error', () => this.#end());
    pipe.on('close', () => this.#end());
    pipe.on('end', () => this.#end());
  }

  async next(): Promise<SyncMessage | undefined> {
    await this.#available();
    return this.#messages.shift();
  }

  async peek(): Promise<SyncMessage | undefined> {
    await this.#available();
    return this.#messages[0];
  }

  async ended(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  /** A process that runs for days must not keep this program from ending. */
  unref(): void {
    this.#pipe.unref();
  }

  [Symbol.dispose](): void {
    this.#pipe.destroy();
  }

  async #available(): Promise<void> {
    while (this.#messages.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #arrived(messages: SyncMessage[]): void {
    this.#messages.push(...messages);
    this.#wakeAll();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

async function collectText(stream: Readable): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream) if (text.length < 8192) text += String(chunk);
  } catch {
    // A broken pipe ends the text; what came is what there is.
  }
  return text.trim();
}

/** The parent of the created process is its conmon, the nearest subreaper. Zero if the process is gone. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  } catch {
    return 0;
  }
}
