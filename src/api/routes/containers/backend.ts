import type { Readable, Writable } from 'node:stream';
import type {
  ContainerCreateRequest,
  ContainerId,
  ContainerInspect,
  ContainerPathStat,
  ContainerSummary,
  HostConfig,
  TopResponse,
  WaitResponse,
} from '#spec';

/** Docker's `filters` parameter, decoded: every value given for each key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

export interface ListContainersOptions {
  all: boolean;
  /** -1 or 0: no limit. */
  limit: number;
  size: boolean;
  filters: Filters;
}

/**
 * One client's end of a container's or exec's stdio. The API hands in the connection; the engine copies until both
 * sides are done, and resolves. `stdin` ending half-closes the process's stdin and leaves the outputs running.
 */
export interface AttachStreams {
  stdin?: Readable | undefined;
  /** With a TTY everything goes here, raw. */
  stdout?: Writable | undefined;
  stderr?: Writable | undefined;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

export interface AttachOptions {
  /** Replay what was logged so far first. */
  logs: boolean;
  /** Stay attached for what comes. */
  stream: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Docker's notation (`ctrl-p,ctrl-q`); empty means the default. */
  detachKeys: string;
}

export interface LogsOptions {
  follow: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Nanoseconds since the epoch; entries at or after. */
  since?: bigint | undefined;
  /** Nanoseconds since the epoch; entries at or before. */
  until?: bigint | undefined;
  timestamps: boolean;
  /** Last lines only; undefined means all. */
  tail?: number | undefined;
  details: boolean;
  signal: AbortSignal;
}

/** One log line's part as written (with its newline if it had one), for one stream. */
export interface LogEntry {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since the epoch. */
  time: bigint;
  data: Buffer;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** What the container routes call. All refer to a container by full ID, name (leading `/` optional) or unique ID prefix. */
export interface ContainersBackend {
  create(
    request: ContainerCreateRequest,
    options: { name: string; platform: string },
  ): Promise<{ Id: ContainerId; Warnings: string[] }>;
  list(options: ListContainersOptions): Promise<ContainerSummary[]>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  /** @throws notModified when it runs already. */
  start(ref: string, options: { checkpoint: string }): Promise<void>;
  /** `timeoutSeconds` undefined: the container's own; negative: for ever. @throws notModified when it is stopped already. */
  stop(ref: string, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void>;
  restart(ref: string, options: { signal: string; timeoutSeconds?: number | undefined }): Promise<void>;
  kill(ref: string, options: { signal: string }): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, newName: string): Promise<void>;
  /** `changes` holds resources and the restart policy; zero values leave what is there. */
  update(ref: string, changes: HostConfig): Promise<{ Warnings: string[] }>;
  remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }>;
  /**
   * Resolves once the waiter is armed (the API then sends its headers); `result` resolves when the condition holds, and
   * need not settle after `signal` aborted.
   */
  wait(ref: string, condition: WaitCondition, signal: AbortSignal): Promise<{ result: Promise<WaitResponse> }>;
  top(ref: string, psArgs: string): Promise<TopResponse>;
  /** One Docker stats object per second when `stream`, else one. `oneShot` does not wait for a second sample. */
  stats(ref: string, options: { stream: boolean; oneShot: boolean; signal: AbortSignal }): AsyncIterable<unknown>;
  resize(ref: string, size: { height: number; width: number }): Promise<void>;
  /**
   * Checks that attaching is possible (existence, not paused, …) and tells how to frame the answer; then `run` copies.
   * Split so that errors come as HTTP statuses and the hijack happens between the two.
   */
  attach(ref: string, options: AttachOptions): Promise<{ tty: boolean; run(streams: AttachStreams): Promise<void> }>;
  /** `attributes` belong to every entry; they are what `details` shows. */
  logs(
    ref: string,
    options: LogsOptions,
  ): Promise<{ tty: boolean; attributes?: Record<string, string>; entries: AsyncIterable<LogEntry> }>;
  changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null>;
  /** A tar of the container's file system. */
  export(ref: string, signal: AbortSignal): Promise<Readable>;
}

/** What the routes of `docker cp` call. Paths are taken from the container's root. */
export interface FilesBackend {
  statPath(ref: string, path: string, signal: AbortSignal): Promise<ContainerPathStat>;
  readArchive(ref: string, path: string, signal: AbortSignal): Promise<{ stat: ContainerPathStat; archive: Readable }>;
  writeArchive(
    ref: string,
    path: string,
    body: Readable,
    options: { copyUidGid: boolean; noOverwriteDirNonDir: boolean; signal: AbortSignal },
  ): Promise<void>;
}
