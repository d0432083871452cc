import type { Readable, Writable } from 'node:stream';

/** How a container's or exec's process is started under its own conmon, which outlives us. */
export interface LaunchRequest {
  /** Container ID or exec ID. */
  id: string;
  /** For an exec: the container it runs in. */
  containerId: string;
  kind: 'container' | 'exec';
  /** Bundle directory (container) or path of the process.json (exec). */
  bundleOrProcessFile: string;
  tty: boolean;
  /** Keep a stdin pipe open. */
  stdin: boolean;
  /** Close the process's stdin when the first attached client's stdin ends (StdinOnce); false leaves it open. */
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
  conmonPid: number;
}

/** A process that ended, told by its conmon. */
export interface ProcessExit {
  id: string;
  kind: 'container' | 'exec';
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

/** A client's end of conmon's attach socket. */
export interface AttachConnection extends AsyncDisposable {
  /** Ends half-close the process's stdin. Undefined when the process has none. */
  readonly stdin: Writable;
  /** Frames in the order conmon sent them; ends when the process's output ends. Not reading holds conmon back. */
  readonly output: Readable;
}
