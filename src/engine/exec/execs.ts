import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineError, findEngineError } from '#errors';
import { randomHex, settlesWithin, type Logger } from '#lib';
import type { AttachConnection, ProcessExit } from '#monitor';
import { parseExecId, type ContainerId, type ExecCreateRequest, type ExecId, type ExecInspect } from '#spec';
import { copyStreams, type ClientStreams } from '../containers/attach.ts';
import { parseDetachKeys } from '../containers/detach-keys.ts';
import { isPaused, isRestarting, notRunning } from '../containers/errors.ts';
import { eventAttributes } from '../containers/lifecycle.ts';
import type { CreatedProcess } from '../containers/processes.ts';
import { isLive, type ContainerRecord } from '../containers/record.ts';
import type { ContainerRegistry } from '../containers/registry.ts';
import type { EventBus } from '../events/event-bus.ts';

/** An exec as runtime and monitor need it. */
export interface ExecProcessRequest {
  id: ExecId;
  request: ExecCreateRequest;
  consoleSize: [number, number] | undefined;
  /** Nobody but this daemon knows of it: the next one ends it. */
  probe: boolean;
}

/** What of an exec is known before its start. */
export type PreparableExec = Pick<ExecProcessRequest, 'id' | 'request'>;

/** What execs ask of runtime and monitor. */
export interface ExecProcesses {
  /** Somebody is about to start a process: gets ready what takes a while. Returns at once. */
  expect(): void;
  /** Begins with what the start of this exec needs and takes time. With `spare` it is for the next one like it. */
  prepare(container: ContainerRecord, exec: PreparableExec, options?: { spare: boolean }): void;
  /** The ID under which an exec like this was prepared to spare. */
  reserve(container: ContainerRecord, request: ExecCreateRequest): ExecId | undefined;
  /** Gives up what was prepared in this container and not started. */
  withdrawExecs(containerId: string): void;
  /**
   * Starts the process. `beforeStart` runs when attaching is possible and before the first instruction.
   */
  launch(
    container: ContainerRecord,
    exec: ExecProcessRequest,
    beforeStart: (attach: () => Promise<AttachConnection>) => Promise<void>,
  ): Promise<CreatedProcess>;
  /** Signals the exec's first process; false when it is gone already. */
  signal(process: CreatedProcess, signal: number): boolean;
  resize(id: ExecId, size: { height: number; width: number }): Promise<void>;
  /** Removes what is kept of an ended exec. Repeatable. */
  cleanupExec(id: ExecId): Promise<void>;
}

type ExecPhase =
  | { status: 'created' }
  | { status: 'running'; process: CreatedProcess | undefined }
  | { status: 'exited'; exitCode: number };

interface Exec {
  readonly id: ExecId;
  readonly container: ContainerRecord;
  readonly request: ExecCreateRequest;
  readonly probe: boolean;
  readonly ended: PromiseWithResolvers<void>;
  phase: ExecPhase;
  startedAt: number;
}

export interface ExecsDeps {
  registry: ContainerRegistry;
  processes: ExecProcesses;
  events: EventBus;
  logger: Logger;
}

/** Ended execs stay visible this long for `exec inspect`, as in dockerd's clean-up. */
const keepEndedMs = 5 * 60_000;
/** An exec that starts this soon after the end of another in its container is one of a row. */
const inARowMs = 5000;
/** The client of the exec that just ended has its answers by then. */
const prepareNextAfterMs = 20;
/** A killed probe that does not end within this time is stuck in the kernel. */
const killDeadlineMs = 10_000;

const probeRequest: Omit<ExecCreateRequest, 'Cmd'> = {
  User: '',
  Privileged: false,
  Tty: false,
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  Detach: false,
  DetachKeys: '',
  Env: null,
  WorkingDir: '',
};

/**
 * Further processes in running containers. Known only while this daemon lives, as in dockerd; the processes themselves
 * are held by their own monitors and outlive it.
 */
export class Execs {
  readonly #deps: ExecsDeps;
  readonly #execs = new Map<string, Exec>();

  constructor(deps: ExecsDeps) {
    this.#deps = deps;
  }

  /** @throws conflict when the container does not run or is paused; invalidArgument without a command. */
  create(containerRef: string, request: ExecCreateRequest): Promise<{ Id: ExecId }> {
    const exec = this.#create(containerRef, request, { probe: false });
    // After the answer: the client's next request is on its way meanwhile.
    setImmediate(() => this.#prepare(exec));
    return Promise.resolve({ Id: exec.id });
  }

  #prepare(exec: Exec): void {
    if (exec.phase.status !== 'created') return;
    try {
      this.#deps.processes.prepare(exec.container, exec);
    } catch (error) {
      this.#deps.logger.debug('preparing an exec failed; its start tries again', { exec: exec.id, error });
    }
  }

  /** Where one exec follows another, a third is likely. */
  #prepareNext({ container, request, probe, startedAt }: Exec): void {
    const session = this.#deps.registry.session(container.id);
    const inARow = startedAt - session.lastExecAt < inARowMs;
    session.lastExecAt = Date.now();
    if (!inARow || probe) return;
    const prepare = (): void => {
      const current = this.#deps.registry.find(container.id);
      if (!current || !isLive(current.phase) || current.phase.status === 'paused') return;
      try {
        this.#deps.processes.prepare(current, { id: newExecId(), request }, { spare: true });
      } catch (error) {
        this.#deps.logger.debug('preparing an exec to spare failed', { container: container.id, error });
      }
    };
    setTimeout(prepare, prepareNextAfterMs).unref();
  }

  #create(containerRef: string, request: ExecCreateRequest, { probe }: { probe: boolean }): Exec {
    const container = this.#runningContainer(this.#deps.registry.get(containerRef));
    if ((request.Cmd ?? []).length === 0) {
      throw new EngineError('invalidArgument', 'NO_EXEC_COMMAND', 'No exec command specified');
    }
    parseDetachKeys(request.DetachKeys);
    this.#deps.processes.expect();
    const id = this.#deps.processes.reserve(container, request) ?? newExecId();
    const exec: Exec = {
      id,
      container,
      request,
      probe,
      ended: Promise.withResolvers(),
      phase: { status: 'created' },
      startedAt: 0,
    };
    this.#execs.set(id, exec);
    this.#deps.registry.session(container.id).execIds.add(id);
    this.#publish(exec, `exec_create: ${commandText(request)}`);
    return exec;
  }

  #runningContainer(record: ContainerRecord): ContainerRecord {
    if (record.phase.status === 'paused') throw isPaused(record.id);
    if (record.phase.status === 'restarting') throw isRestarting(record.id);
    if (!isLive(record.phase)) throw notRunning(record.id);
    return record;
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec) throw new EngineError('notFound', 'NO_SUCH_EXEC', `No such exec instance: ${id}`);
    return exec;
  }

  /**
   * Checks that the exec can start; `run` starts it and copies. With `detach` it is started before this resolves.
   *
   * @throws notFound; conflict when it was started before or the container does not run.
   */
  async start(
    id: string,
    options: { detach: boolean; tty: boolean; consoleSize?: [number, number] | undefined },
  ): Promise<{ tty: boolean; run(streams: ClientStreams): Promise<void> }> {
    const exec = this.#get(id);
    if (exec.phase.status === 'running') {
      throw new EngineError('conflict', 'EXEC_RUNNING', `exec command ${id} is already running`);
    }
    if (exec.phase.status === 'exited') {
      throw new EngineError('conflict', 'EXEC_HAS_RUN', `exec command ${id} has already run`);
    }
    const container = this.#runningContainer(this.#deps.registry.current(exec.container.id));
    const consoleSize = options.consoleSize ?? exec.request.ConsoleSize;
    this.#deps.processes.expect();
    exec.phase = { status: 'running', process: undefined };
    if (!options.detach)
      return { tty: exec.request.Tty, run: (streams) => this.#runAttached(exec, container, consoleSize, streams) };
    await this.#launch(exec, container, consoleSize, () => Promise.resolve());
    return { tty: exec.request.Tty, run: () => Promise.resolve() };
  }

  async #launch(
    exec: Exec,
    container: ContainerRecord,
    consoleSize: [number, number] | undefined,
    beforeStart: (attach: () => Promise<AttachConnection>) => Promise<void>,
  ): Promise<void> {
    exec.startedAt = Date.now();
    this.#publish(exec, `exec_start: ${commandText(exec.request)}`);
    try {
      const request = { id: exec.id, request: exec.request, consoleSize, probe: exec.probe };
      const process = await this.#deps.processes.launch(container, request, beforeStart);
      if (exec.phase.status === 'running') exec.phase = { status: 'running', process };
    } catch (cause) {
      const { error, exitCode } = toExecFailure(cause, exec.request.Cmd?.[0] ?? '');
      await this.#end(exec, exitCode);
      throw error;
    }
  }

  async #runAttached(
    exec: Exec,
    container: ContainerRecord,
    consoleSize: [number, number] | undefined,
    streams: ClientStreams,
  ): Promise<void> {
    const keys = exec.request.Tty ? parseDetachKeys(exec.request.DetachKeys) : undefined;
    let copying: Promise<'ended' | 'detached' | 'gone'> | undefined;
    await this.#launch(exec, container, consoleSize, async (attach) => {
      copying = copyStreams(await attach(), streams, keys);
      copying.catch(() => undefined);
    });
    const end = await copying;
    if (end === 'detached') this.#publish(exec, 'exec_detach');
    if (end === 'ended') await exec.ended.promise;
  }

  /** {@inheritDoc ProbeRunner.runProbe} */
  async runProbe(
    containerId: ContainerId,
    command: string[],
    { output, timeoutMs, signal }: { output: Writable; timeoutMs: number; signal: AbortSignal },
  ): Promise<number | undefined> {
    const exec = this.#create(containerId, { ...probeRequest, Cmd: command }, { probe: true });
    exec.phase = { status: 'running', process: undefined };
    try {
      const leave = new AbortController();
      let copying: Promise<unknown> = Promise.resolve();
      await this.#launch(exec, exec.container, undefined, async (attach) => {
        copying = copyStreams(await attach(), { stdout: output, stderr: output, signal: leave.signal }, undefined);
        copying.catch(() => undefined);
      });
      const ended = copying.then(() => exec.ended.promise);
      if (await settlesWithin(ended, timeoutMs, signal)) return exitCodeOf(this.#get(exec.id).phase);
      if (exec.phase.status === 'running' && exec.phase.process) this.#deps.processes.signal(exec.phase.process, 9);
      leave.abort();
      await settlesWithin(exec.ended.promise, killDeadlineMs);
      return undefined;
    } finally {
      this.#execs.delete(exec.id);
    }
  }

  /** Takes note of an exec's end, told by the monitor. */
  async onExit(exit: ProcessExit): Promise<void> {
    const exec = this.#execs.get(exit.id);
    if (exec && exec.phase.status !== 'exited') await this.#end(exec, exit.exitCode);
    else await this.#deps.processes.cleanupExec(parseExecId(exit.id));
  }

  async #end(exec: Exec, exitCode: number): Promise<void> {
    exec.phase = { status: 'exited', exitCode };
    this.#deps.registry.session(exec.container.id).execIds.delete(exec.id);
    this.#publish(exec, 'exec_die', {
      execDuration: String(Math.floor((Date.now() - exec.startedAt) / 1000)),
      exitCode: String(exitCode),
    });
    exec.ended.resolve();
    if (!exec.probe) setTimeout(() => this.#execs.delete(exec.id), keepEndedMs).unref();
    try {
      // Whoever waits for the end is answered first: cleaning up stops this thread for a while.
      await nextTurn();
      await this.#deps.processes.cleanupExec(exec.id);
      this.#prepareNext(exec);
    } catch (error) {
      this.#deps.logger.warn('cleaning up after an exec failed', { exec: exec.id, error });
    }
  }

  /** A container's run ended: its execs ended with it, also those whose exit nobody told. */
  async containerEnded(containerId: string, exitCode: number): Promise<void> {
    this.#deps.processes.withdrawExecs(containerId);
    for (const exec of this.#execs.values()) {
      if (exec.container.id === containerId && exec.phase.status === 'running') await this.#end(exec, exitCode);
    }
  }

  async resize(id: string, size: { height: number; width: number }): Promise<void> {
    const exec = this.#get(id);
    if (exec.phase.status !== 'running') {
      throw new EngineError('invalidArgument', 'EXEC_NOT_STARTED', 'exec process is not started');
    }
    await this.#deps.processes.resize(exec.id, size);
  }

  inspect(id: string): Promise<ExecInspect> {
    const { request, phase, container } = this.#get(id);
    const [entrypoint = '', ...rest] = request.Cmd ?? [];
    return Promise.resolve({
      ID: id,
      Running: phase.status === 'running',
      ExitCode: phase.status === 'exited' ? phase.exitCode : null,
      ProcessConfig: {
        tty: request.Tty,
        entrypoint,
        arguments: rest,
        privileged: request.Privileged,
        ...(request.User === '' ? {} : { user: request.User }),
      },
      OpenStdin: request.AttachStdin,
      OpenStderr: request.AttachStderr,
      OpenStdout: request.AttachStdout,
      CanRemove: phase.status === 'exited',
      ContainerID: container.id,
      DetachKeys: request.DetachKeys,
      Pid: phase.status === 'running' ? (phase.process?.pid ?? 0) : 0,
    });
  }

  #publish(exec: Exec, action: string, more: Record<string, string> = {}): void {
    const attributes = { ...eventAttributes(exec.container), ...more, execID: exec.id };
    this.#deps.events.publish('container', action, exec.container.id, attributes);
  }
}

/** Docker puts a space behind the program also where no argument follows. */
function newExecId(): ExecId {
  return parseExecId(randomHex(32));
}

function commandText(request: ExecCreateRequest): string {
  const [program, ...args] = request.Cmd ?? [];
  return `${program} ${args.join(' ')}`;
}

function exitCodeOf(phase: ExecPhase): number | undefined {
  return phase.status === 'exited' ? phase.exitCode : undefined;
}

/** Docker's text and exit code for an exec that could not start. */
function toExecFailure(cause: unknown, command: string): { error: EngineError; exitCode: number } {
  const known = findEngineError(cause);
  const message = known?.message ?? String(cause);
  const fail = (exitCode: number, reason: string): { error: EngineError; exitCode: number } => ({
    error: new EngineError(
      'invalidArgument',
      'EXEC_START_FAILED',
      `OCI runtime exec failed: exec failed: unable to start container process: ${reason}`,
      { cause },
    ),
    exitCode,
  });
  // runc says it in Docker's words already.
  const chdir = /chdir (?:`|to cwd \(")(.+?)(?:`|"\))/i.exec(message)?.[1];
  if (chdir !== undefined) {
    const reason = message.slice(message.lastIndexOf(': ') + 2).toLowerCase();
    return fail(126, `chdir to cwd ("${chdir}") set in config.json failed: ${reason}`);
  }
  if (command.includes('/') && /no such file or directory/i.test(message)) {
    return fail(127, `exec: "${command}": stat ${command}: no such file or directory`);
  }
  if (/executable file .*not found|no such file or directory|not found in \$PATH/i.test(message)) {
    return fail(127, `exec: "${command}": executable file not found in $PATH`);
  }
  if (/permission denied|operation not permitted|is a directory|not executable/i.test(message)) {
    return fail(126, `exec: "${command}": permission denied`);
  }
  if (known && known.kind !== 'internal') return { error: known, exitCode: 126 };
  return fail(126, message);
}
