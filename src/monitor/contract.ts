import type { Readable, Writable } from 'node:stream';

/** How a container's or exec's process is started under its own conmon, which outlives us. */
export interface LaunchRequest {
  /** Container ID or exec ID. */
  id: string;
  /** For an exec: the container it runs in. */
  containerId: string;
  kind: 'container' | 'exec';
  /**
   * Bundle directory (container) or where the fifo is made that brings the runtime its process.json (exec). conmon's
   * sockets and fifos are made in that directory (of an exec: the one the fifo lies in), so each exec needs one of its own.
   */
  bundleOrProcessFile: string;
  tty: boolean;
  /** Keep a stdin pipe open. */
  stdin: boolean;
  /**
   * Close the process's stdin when the first attached client's stdin ends (StdinOnce); false leaves it open. Ignored
   * with `tty`, where it always stays open, as in Docker.
   */
  stdinOnce: boolean;
  /** CRI log file; undefined logs nothing. */
  logPath: string | undefined;
  runtimePath: string;
  runtimeArgs: string[];
  /** Name for process lists. */
  name: string;
}

export interface Launched {
  /** The container's first process (after create) or the exec's process, in our pid namespace. */
  pid: number;
  /** Zero when it could not be told (it ended already). */
  conmonPid: number;
}

/** An exec that waits with everything loaded, to be told what to run. */
export interface PreparedExec {
  /**
   * Starts the process of this `process.json`; once. `beforeStart` runs when attaching is possible and before the process
   * starts, so that no output is missed. (A container is only created by its launch; attach to it before the runtime's
   * `start`.)
   *
   * @throws internal `LAUNCH_FAILED` with the runtime's own message; what `beforeStart` throws. Nothing runs then.
   */
  start(description: string, beforeStart: () => Promise<void>): Promise<Launched>;
  /** Ends what waits, and forgets the exec; nothing happens when it was started. Repeatable. */
  withdraw(): Promise<void>;
}

/** A process that ended, told by its conmon. */
export interface ProcessExit {
  id: string;
  kind: 'container' | 'exec';
  /** For an exec: the container it ran in; else equal to `id`. */
  containerId: string;
  /** 128 + signal when killed by one. */
  exitCode: number;
  /** Nanoseconds since the epoch: when conmon wrote it down. */
  finishedAt: bigint;
}

export interface LogLine {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since the epoch. */
  time: bigint;
  /** With its newline, unless the process wrote none. */
  data: Buffer;
}

export interface ReadLogsOptions {
  follow: boolean;
  tail?: number | undefined;
  since?: bigint | undefined;
  until?: bigint | undefined;
  signal?: AbortSignal | undefined;
  /** With `follow`: ends when this resolves and everything written by then was read. */
  finished?: Promise<unknown> | undefined;
}

/** A run of output bytes of one stream; with a TTY everything is `stdout`. */
export interface AttachFrame {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/** A client's end of conmon's attach socket. */
export interface AttachConnection extends AsyncDisposable {
  /** Ending it half-closes the process's stdin. What is written to it before the process reads is held back. */
  readonly stdin: Writable;
  /**
   * Object mode: {@link AttachFrame}s in the order conmon sent them; ends when the process's output ends. Not reading
   * holds conmon, and with it the process, back.
   */
  readonly output: Readable;
}

export interface AttachRequest {
  /** The directory given at launch: a container's bundle, an exec's directory. */
  directory: string;
  /**
   * Whether this client may send and end stdin. One that may not leaves stdin alone when it goes, also under
   * `stdinOnce`.
   */
  stdin: boolean;
}

export interface TerminalSize {
  height: number;
  width: number;
}

export interface SocketEvents {
  readable: boolean;
  writable: boolean;
  disconnect: boolean;
}

/** What attaching needs of the kernel; `sockets` of `#sys` is that. */
export interface AttachSockets {
  connectSeqpacket(path: string): number;
  /** Undefined: not now. */
  send(fd: number, packet: Uint8Array): number | undefined;
  /** The packet's length; 0: the other end closed; undefined: nothing now. */
  receive(fd: number, into: Uint8Array): number | undefined;
  shutdown(fd: number, direction: 'write'): void;
  watchFd(
    fd: number,
    events: Partial<SocketEvents>,
    listener: (events: SocketEvents) => void,
  ): { update(events: Partial<SocketEvents>): void; close(): void; unref(): void };
}

/** What launching needs of the kernel; `processes` of `#sys` is that. */
export interface LaunchProcesses {
  /** A child that we reap; descriptors are ours to duplicate. */
  spawnDetached(request: {
    path: string;
    args: readonly string[];
    env: Readonly<Record<string, string>>;
    fds: readonly (number | 'null')[];
  }): number;
  createPipe(): { readFd: number; writeFd: number };
  reap(pid: number): object | undefined;
  processExists(pid: number): boolean;
}

/** What launching needs of the file system; `files` of `#sys` is that. */
export interface LaunchFiles {
  mkfifo(path: string, permissions: number): void;
}
