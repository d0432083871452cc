import type { AttachConnection, ReadLogsOptions, LogLine } from '#monitor';
import type { HostConfig } from '#spec';
import type { ContainerRecord, Sandbox } from './record.ts';

/** A container's first process, created and waiting for its start. */
export interface CreatedProcess {
  pid: number;
  /** Start time in clock ticks since boot: with the pid it names one process for good. */
  startTicks: string;
}

/** What the life cycle asks of runtime and monitor. */
export interface ContainerProcesses {
  /** Somebody is about to start a process: gets ready what takes a while. Returns at once. */
  expect(): void;
  /** Everything up to the point where the user's program would run: files, bundle, monitor, runtime's create. */
  create(record: ContainerRecord, sandbox: Sandbox, rootfs: string): Promise<CreatedProcess>;
  /** Lets the created process run the user's program. */
  start(record: ContainerRecord): Promise<void>;
  /** Signals the first process; false when it is gone already. */
  signal(process: CreatedProcess, signal: number): boolean;
  isAlive(process: CreatedProcess): boolean;
  pause(record: ContainerRecord): Promise<void>;
  resume(record: ContainerRecord): Promise<void>;
  /** Gives a live container these limits; what `changes` leaves zero or null stays. @throws with the runtime's text. */
  update(record: ContainerRecord, changes: HostConfig): Promise<void>;
  /** Whether the kernel killed something of it for want of memory. Ask before `cleanup`. */
  wasOomKilled(record: ContainerRecord): boolean;
  /** Removes what runtime and monitor keep of an ended (or half-made) run; kills what still runs. Repeatable. */
  cleanup(id: string): Promise<void>;
  attach(id: string, withStdin: boolean): Promise<AttachConnection>;
  resize(id: string, size: { height: number; width: number }): Promise<void>;
  /** `LogPath` of inspect: the json-file once there is one, else empty, as with dockerd. */
  shownLogPath(record: ContainerRecord): string;
  /** Finishes what is kept of the output of a container that does not run. Repeatable. */
  completeLog(record: ContainerRecord): Promise<void>;
  /** The container is going, and with it what no receiver has got. Repeatable. */
  forgetLog(id: string): Promise<void>;
  readLogs(id: string, options: ReadLogsOptions): AsyncIterable<LogLine>;
}
