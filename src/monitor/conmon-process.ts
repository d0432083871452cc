import { closeSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { runtimeMessage } from '#spec';
import type { Launched, LaunchFiles, LaunchProcesses, LaunchRequest } from './contract.ts';
import { conmonArgs } from './conmon-args.ts';
import { launchFailed } from './errors.ts';
import { MessagePipe } from './message-pipe.ts';

export interface ConmonPlace {
  processes: LaunchProcesses;
  files: LaunchFiles;
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
const ATTACH_FD = 4;
/** conmon's first process ends as soon as the second runs; how long to wait before looking for its end. */
const REAP_DELAYS_MS = [0, 10, 100, 1000, 10_000, 60_000];

/** A conmon on its way to become a daemon, and our ends of its pipes. */
export interface StartedConmon {
  /** Tells the pid or why there is none; ends with conmon. */
  sync: MessagePipe;
  /** Of an exec: says when the attach socket listens. */
  attach: MessagePipe | undefined;
  /** What it wrote to standard error until it became a daemon. */
  complaints: Promise<string>;
}

/** @throws internal `LAUNCH_FAILED` when the program cannot be started. */
export function startConmon(request: LaunchRequest, place: ConmonPlace): StartedConmon {
  const { processes } = place;
  using conmonEnds = new DisposableStack();
  using ourEnds = new DisposableStack();
  const fds: (number | 'null')[] = ['null', 'null'];
  const ours: number[] = [];
  for (const target of request.kind === 'exec' ? [STDERR_FD, SYNC_FD, ATTACH_FD] : [STDERR_FD, SYNC_FD]) {
    const { readFd, writeFd } = processes.createPipe();
    conmonEnds.defer(() => closeSync(writeFd));
    ourEnds.defer(() => closeSync(readFd));
    fds[target] = writeFd;
    ours[target] = readFd;
  }
  const pid = spawnConmon(request, place, fds);
  ourEnds.move();
  void reapLater(pid, processes);
  const reading = (target: number): Socket => new Socket({ fd: ours[target], readable: true, writable: false });
  return {
    sync: new MessagePipe(reading(SYNC_FD)),
    attach: request.kind === 'exec' ? new MessagePipe(reading(ATTACH_FD)) : undefined,
    complaints: collectText(reading(STDERR_FD)),
  };
}

/**
 * Waits until the runtime under conmon has made the process.
 *
 * @throws internal `LAUNCH_FAILED` with the runtime's message.
 */
export async function launched(request: LaunchRequest, { sync, complaints }: StartedConmon): Promise<LaunchedConmon> {
  const first = await sync.next();
  if (first === undefined || first.data < 0) {
    const message = runtimeMessage(first?.message ?? (await complaints));
    throw launchFailed(request.id, message || 'conmon ended without a word');
  }
  sync.unref();
  return { pid: first.data, conmonPid: parentOf(first.data), ended: sync.next().then(() => undefined) };
}

function spawnConmon(request: LaunchRequest, place: ConmonPlace, fds: readonly (number | 'null')[]): number {
  try {
    return place.processes.spawnDetached({
      path: place.conmonPath,
      args: conmonArgs(request, place.exitDirectory),
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        TMPDIR: place.temporaryDirectory,
        _OCI_SYNCPIPE: String(SYNC_FD),
        ...(request.kind === 'exec' ? { _OCI_ATTACHPIPE: String(ATTACH_FD) } : {}),
      },
      fds,
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw launchFailed(request.id, `cannot start conmon: ${reason}`, error);
  }
}

async function reapLater(pid: number, processes: LaunchProcesses): Promise<void> {
  for (const delayMs of REAP_DELAYS_MS) {
    await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref());
    if (processes.reap(pid) !== undefined || !processes.processExists(pid)) return;
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
