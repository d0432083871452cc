import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CgroupPaths, Sys, WaitStatus } from '#sys';

export interface StepProgram {
  readonly path: string;
  readonly args: readonly string[];
  readonly cgroup: CgroupPaths;
  readonly output: (stream: 'stdout' | 'stderr', data: Buffer) => void | Promise<void>;
  readonly signal: AbortSignal;
}

/** Its pipes close a moment before a process can be reaped. */
const REAP_DELAYS_MS = [0, 1, 2, 5, 10, 20, 50, 100];
const KILL_PERIOD_MS = 10;
const SIGKILL = 9;

/**
 * Runs the runtime in the foreground of plain pipes, and answers how it ended, when all it wrote was handed on. When the signal aborts, the
 * step's processes are killed as often as there are any.
 */
export async function runProgram(
  program: StepProgram,
  sys: Pick<Sys, 'processes' | 'cgroups'>,
): Promise<WaitStatus | undefined> {
  const { processes } = sys;
  using ends = new DisposableStack();
  using ours = new DisposableStack();
  const stdout = openPipe(processes, ends, ours);
  const stderr = openPipe(processes, ends, ours);
  const pid = processes.spawnDetached({
    path: program.path,
    args: program.args,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    fds: ['null', stdout.writeFd, stderr.writeFd],
  });
  ends.dispose();
  ours.move();
  let isOver = false;
  const killing = killOnAbort(program, pid, sys, () => isOver);
  try {
    await Promise.all([drain('stdout', stdout.readFd, program), drain('stderr', stderr.readFd, program)]);
    return await reap(pid, processes);
  } finally {
    isOver = true;
    await killing();
  }
}

function openPipe(
  processes: Sys['processes'],
  ends: DisposableStack,
  ours: DisposableStack,
): { readFd: number; writeFd: number } {
  const pipe = processes.createPipe();
  ends.defer(() => closeSync(pipe.writeFd));
  ours.defer(() => closeSync(pipe.readFd));
  return pipe;
}

/** What comes after an abort is read, so that nobody waits for it, and dropped. */
async function drain(stream: 'stdout' | 'stderr', fd: number, { output, signal }: StepProgram): Promise<void> {
  const pipe = new Socket({ fd, readable: true, writable: false });
  for await (const chunk of pipe) if (!signal.aborted) await output(stream, chunk as Buffer);
}

async function reap(pid: number, processes: Sys['processes']): Promise<WaitStatus | undefined> {
  for (const waitMs of REAP_DELAYS_MS) {
    if (waitMs > 0) await delay(waitMs);
    const status = processes.reap(pid);
    if (status) return status;
    if (!processes.processExists(pid)) return undefined;
  }
  // It has closed its pipes and lives on: nobody can hear of it any more.
  processes.kill(pid, SIGKILL);
  await delay(KILL_PERIOD_MS);
  return processes.reap(pid);
}

/** Answers a function that ends the watch and waits until nothing is killed any more. */
function killOnAbort(
  { signal, cgroup }: StepProgram,
  pid: number,
  { cgroups, processes }: Pick<Sys, 'processes' | 'cgroups'>,
  isOver: () => boolean,
): () => Promise<void> {
  let killing = Promise.resolve();
  const kill = async (): Promise<void> => {
    while (!isOver()) {
      // Nothing in the group: the runtime is just making it, or clearing it away; both can be done without it.
      if (cgroups.killAll(cgroup) === 0 && processes.processExists(pid)) processes.kill(pid, SIGKILL);
      await delay(KILL_PERIOD_MS);
    }
  };
  const begin = (): void => void (killing = kill());
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return async () => {
    signal.removeEventListener('abort', begin);
    await killing;
  };
}
