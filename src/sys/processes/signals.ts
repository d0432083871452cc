import { check, errnoName, lastErrno, sysError } from '../errno.ts';
import { nativeFunction, type Pointer, systemCall } from '../native/koffi.ts';

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

const cKill = nativeFunction<[number, number], number>('kill', 'int', ['int', 'int']);
const cPrctl = nativeFunction<[number, number, number, number, number], number>('prctl', 'int', [
  'int',
  'ulong',
  'ulong',
  'ulong',
  'ulong',
]);
const cWaitpid = nativeFunction<[number, Pointer, number], number>('waitpid', 'int', ['int', 'void *', 'int']);
const sysPidfdOpen = systemCall<[number, number]>(434, ['int', 'uint']);
const sysPidfdSendSignal = systemCall<[number, number, null, number]>(424, ['int', 'int', 'void *', 'uint']);

/**
 * Sends a signal by number (0 only asks whether the process is there).
 *
 * @throws {@link EngineError} notFound when there is no such process.
 */
export function kill(pid: number, signal: number): void {
  check(cKill(pid, signal), 'kill', pid);
}

/** Whether a process (perhaps a zombie) with this pid exists. */
export function processExists(pid: number): boolean {
  return cKill(pid, 0) === 0 || errnoName(lastErrno()) === 'EPERM';
}

/**
 * A descriptor of exactly this process: it becomes readable (`watchFd`) when the process ends, and never means another
 * process that got the same pid. The caller closes it.
 *
 * @throws {@link EngineError} notFound when there is no such process.
 */
export function pidfdOpen(pid: number): number {
  return check(sysPidfdOpen(pid, 0), 'pidfd_open', pid);
}

/** Sends a signal to the process of a pidfd. */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  check(sysPidfdSendSignal(pidfd, signal, null, 0), 'pidfd_send_signal', `fd ${pidfd}`);
}

/** Makes orphaned descendants of this process its children, whom it then has to {@link reap}. */
export function setChildSubreaper(enabled: boolean): void {
  check(cPrctl(PR_SET_CHILD_SUBREAPER, enabled ? 1 : 0, 0, 0, 0), 'prctl', 'PR_SET_CHILD_SUBREAPER');
}

/** How a process ended. */
export type WaitStatus = { exitCode: number } | { signal: number };

/** Reads the status word of wait(2). */
export function decodeWaitStatus(status: number): WaitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { exitCode: (status >> 8) & 0xff } : { signal };
}

/**
 * Collects an ended child that Node did not start itself (an adopted orphan). Node's own children are Node's to wait for.
 *
 * @returns undefined while the process runs, and when it is no child of ours.
 */
export function reap(pid: number): WaitStatus | undefined {
  const status = Buffer.alloc(4);
  const result = cWaitpid(pid, status, WNOHANG);
  if (result === -1) {
    const errno = lastErrno();
    if (errnoName(errno) === 'ECHILD') return undefined;
    throw sysError(errno, 'waitpid', pid);
  }
  return result === 0 ? undefined : decodeWaitStatus(status.readInt32LE(0));
}
