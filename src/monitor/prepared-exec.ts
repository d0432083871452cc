import { closeSync, constants, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '#lib';
import type { LaunchRequest } from './contract.ts';
import { type ConmonPlace, launched, type LaunchedConmon, startConmon, type StartedConmon } from './conmon-process.ts';

/*
 * The file that describes the process is a fifo, which holds the exec back: the runtime loads itself and the container's
 * state, then waits for a writer who says what to run. As only a whole description is run, whatever ends us or the exec
 * meanwhile (a description cut short, a writer without words, no fifo at all) makes the runtime fail and conmon go.
 */

/** How often is looked for the runtime at the other end, and whether it made room for a description of over 64 KiB. */
const RETRY_MS = 1;

/** A conmon that waits, with the runtime loaded below it. */
export class PreparedConmon {
  readonly #request: LaunchRequest;
  readonly #conmon: StartedConmon;
  #started: boolean;
  #withdrawn: boolean;

  /** @throws internal `LAUNCH_FAILED` when conmon cannot be started. */
  constructor(request: LaunchRequest, place: ConmonPlace) {
    this.#request = request;
    place.files.mkfifo(request.bundleOrProcessFile, 0o600);
    this.#started = false;
    this.#withdrawn = false;
    this.#conmon = startConmon(request, place);
  }

  /**
   * Has the runtime run what `description` says; once. `beforeStart` runs when attaching is possible; if it fails nothing
   * is run.
   *
   * @throws internal `LAUNCH_FAILED` with the runtime's message; what `beforeStart` throws.
   */
  async start(description: string, beforeStart: () => Promise<void>): Promise<LaunchedConmon> {
    const { sync, attach } = this.#conmon;
    const listening = await Promise.race([attach?.next(), sync.available()]);
    if (!listening) await sync.available();
    try {
      // Before its first word the sync pipe tells only of failure.
      if (!sync.ready) {
        await beforeStart();
        await this.#describe(Buffer.from(description));
      }
    } catch (error) {
      await this.withdraw();
      throw error;
    }
    try {
      return await launched(this.#request, this.#conmon);
    } finally {
      rmSync(this.#request.bundleOrProcessFile, { force: true });
      attach?.[Symbol.dispose]();
    }
  }

  /** Ends what waits; resolves when it is gone. Answers false, and does nothing, when it was started. Repeatable. */
  async withdraw(): Promise<boolean> {
    if (this.#started) return false;
    if (!this.#withdrawn) dismissReader(this.#request.bundleOrProcessFile);
    this.#withdrawn = true;
    await this.#conmon.sync.ended();
    this.#conmon.attach?.[Symbol.dispose]();
    return true;
  }

  async #describe(description: Buffer): Promise<void> {
    const { sync } = this.#conmon;
    let fd: number | undefined;
    while (fd === undefined) {
      if (this.#withdrawn || sync.ready) return;
      fd = openForReader(this.#request.bundleOrProcessFile);
      if (fd === undefined) await delay(RETRY_MS);
    }
    this.#started = true;
    try {
      for (let rest = description; rest.length > 0 && !sync.ready;) {
        rest = rest.subarray(writeSome(fd, rest));
        if (rest.length > 0) await delay(RETRY_MS);
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** Undefined when nobody reads at the other end, or waits to. */
function openForReader(fifo: string): number | undefined {
  try {
    return openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return undefined;
    throw error;
  }
}

function writeSome(fd: number, data: Buffer): number {
  try {
    return writeSync(fd, data);
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 0;
    // It ended, and conmon tells why.
    if (isErrno(error, 'EPIPE')) return data.length;
    throw error;
  }
}

/** A reader who is there, or waits for a writer, sees one come and go; who comes later finds no fifo. Repeatable. */
function dismissReader(fifo: string): void {
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  rmSync(fifo, { force: true });
  closeSync(fd);
}

/**
 * Ends the execs that a former life of this program prepared and did not start. Those that it started are left alone.
 *
 * @param directory - Where every exec has its directory.
 * @param processFile - The name of the fifo in it.
 * @returns the names of the directories of execs that were never started.
 */
export function releaseLeftExecs(directory: string, processFile: string): string[] {
  return readdirSync(directory).filter((name) => {
    const fifo = join(directory, name, processFile);
    if (statSync(fifo, { throwIfNoEntry: false })?.isFIFO() !== true) return false;
    dismissReader(fifo);
    return statSync(join(directory, name, 'pid'), { throwIfNoEntry: false }) === undefined;
  });
}
