import type * as koffiModule from 'koffi';
import { errnoName, lastErrno, sysError } from '../errno.ts';
import { koffi, nativeFunction, type Pointer } from '../native/koffi.ts';

/** Event bits of poll(2). */
export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32, RDHUP: 0x2000 } as const;

export interface PollEntry {
  fd: number;
  /** `POLL` bits to wait for. */
  events: number;
}

const cPoll = nativeFunction<[Pointer, number, number], number>('poll', 'int', ['void *', 'ulong', 'int']);

/** `struct pollfd`: fd, events, revents. */
const POLLFD_SIZE = 8;

/**
 * Waits on many fds at once. It stops this thread meanwhile: with a timeout other than 0 it is for worker threads.
 *
 * @param timeoutMs - -1 waits without end.
 * @returns for each entry, in order, the bits that are true now; none after the timeout or when a signal came.
 */
export function poll(entries: readonly PollEntry[], timeoutMs: number): number[] {
  const table = Buffer.alloc(entries.length * POLLFD_SIZE);
  for (const [index, entry] of entries.entries()) {
    table.writeInt32LE(entry.fd, index * POLLFD_SIZE);
    table.writeInt16LE(entry.events, index * POLLFD_SIZE + 4);
  }
  if (cPoll(table, entries.length, timeoutMs) === -1) {
    const errno = lastErrno();
    if (errnoName(errno) === 'EINTR') return entries.map(() => 0);
    throw sysError(errno, 'poll');
  }
  return entries.map((_entry, index) => table.readUInt16LE(index * POLLFD_SIZE + 6));
}

export interface FdEvents {
  readable: boolean;
  writable: boolean;
  disconnect: boolean;
}

/** A standing watch on an fd by this thread's event loop. */
export interface FdWatch {
  /** Changes what is waited for; waiting for nothing keeps the watch but silences it. */
  update(events: Partial<FdEvents>): void;
  /** Ends the watch; to be called before the fd is closed. Repeatable. */
  close(): void;
  /** Lets the process end although the watch stands. */
  unref(): void;
}

/** koffi ends a watch whose handle is garbage collected, so open ones are held here. */
const openHandles = new Set<koffiModule.node.PollHandle>();

/**
 * Has the event loop call back whenever `fd` (socket, pidfd, inotify, pipe) is ready, level-triggered: a listener that
 * leaves data unread is called again. No thread is stopped. One watch per fd and thread; the fd becomes non-blocking.
 * When the fd is in error all events are reported, so that the next read or write tells which, and the watch falls silent.
 */
export function watchFd(fd: number, events: Partial<FdEvents>, listener: (events: FdEvents) => void): FdWatch {
  let closed = false;
  // What was seen before a change of mind is not reported after it; if it is still wanted the loop sees it again.
  let generation = 0;
  // koffi calls outside of Node's callback scope, where promises would not go on and a throw would be fatal; its types
  // leave out the first argument.
  const onPoll = ((status: number, ready: FdEvents): void => {
    const seen = status < 0 ? { readable: true, writable: true, disconnect: true } : ready;
    const seenIn = generation;
    setImmediate(() => {
      if (seenIn === generation) listener(seen);
    });
  }) as unknown as (ready: FdEvents) => void;
  const handle = koffi().node.poll(fd, events, onPoll);
  openHandles.add(handle);
  return {
    update(changed) {
      if (closed) return;
      generation++;
      handle.stop();
      if (Object.values(changed).includes(true)) handle.start(changed, onPoll);
    },
    close() {
      if (closed) return;
      closed = true;
      generation++;
      openHandles.delete(handle);
      handle.close();
    },
    unref() {
      handle.unref();
    },
  };
}
