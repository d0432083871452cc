import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { settlesWithin } from '#lib';

/** A busy log is looked at this often; an idle one costs nothing until something is written. */
const BUSY_INTERVAL_MS = 200;
/** What is on its way to a receiver may still arrive when we stop; then it need not be sent again. */
const CLOSE_MS = 2000;

/** What is made of a container's log, from where it was left. One call at a time, but for `interrupt`. */
export interface LogConsumer {
  /** The file of conmon's log that is being read; those before it are done with. */
  readonly sourceInode: bigint;
  /** Consumes what there is, until `stop` says so. Whether there was anything. */
  drain(stop: () => boolean): Promise<boolean>;
  /** The run is over, everything drained: a last line without an end is consumed, too. */
  finish(): Promise<void>;
  /** Makes a call that waits for somebody else fail soon. */
  interrupt?(): void;
  close(): Promise<void>;
}

export interface FollowedLog {
  /** The log that conmon writes. */
  sourcePath: string;
  open(): Promise<LogConsumer>;
  /** How long to wait after a failure. */
  retryMs: number;
  /**
   * Who waits for the end of a log waits no longer, nor once a failure shows; the rest is consumed in the background
   * then. Without it the first failure after the end of the run is the last.
   */
  patienceMs?: number;
  /** How long the removal of the container waits for the end. */
  removalMs: number;
}

export interface LogFollowersOptions {
  /** Told once, until it works again. */
  onError: (id: string, error: unknown) => void;
}

/** Keeps what is made of the logs that conmon writes abreast of them, for every container that runs. */
export class LogFollowers {
  readonly #options: LogFollowersOptions;
  readonly #followers: Map<string, Follower>;

  constructor(options: LogFollowersOptions) {
    this.#options = options;
    this.#followers = new Map();
  }

  /** Follows a log from where it was left. Repeatable; a log whose end is awaited goes on. */
  add(id: string, log: FollowedLog): void {
    const known = this.#followers.get(id);
    if (known) return known.resume();
    const follower = new Follower(log, {
      onError: (error) => this.#options.onError(id, error),
      onEnd: () => this.#followers.delete(id),
    });
    this.#followers.set(id, follower);
    follower.start();
  }

  /**
   * The run has ended: consumes what is left, as long as there is patience. Nothing to do for a log that is not
   * followed. Repeatable.
   */
  async finish(id: string): Promise<void> {
    await this.#followers.get(id)?.finish();
  }

  /** Like {@link finish}, without waiting. */
  end(id: string): void {
    void this.#followers.get(id)?.end();
  }

  /** The container is going: ends as far as there is time, then stops for good. Repeatable. */
  async forget(id: string): Promise<void> {
    const follower = this.#followers.get(id);
    if (!follower) return;
    await follower.leave();
    this.#followers.delete(id);
    await follower.stop(0);
  }

  /** The file that is being read; undefined for a log that is not followed or not begun. */
  readingInode(id: string): bigint | undefined {
    return this.#followers.get(id)?.readingInode;
  }

  /** Stops after what is being consumed. The next life goes on from there. */
  async close(): Promise<void> {
    const followers = [...this.#followers.values()];
    this.#followers.clear();
    await Promise.all(followers.map((follower) => follower.stop(CLOSE_MS)));
  }
}

interface FollowerEvents {
  onError: (error: unknown) => void;
  onEnd: () => void;
}

class Follower {
  readonly #log: FollowedLog;
  readonly #events: FollowerEvents;
  #consumer: LogConsumer | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void>;
  #stopped: boolean;
  #failing: boolean;
  /** Another run began while this follower was closing. */
  #again: boolean;
  /** Settles when everything is consumed; there while the run is over. */
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(log: FollowedLog, events: FollowerEvents) {
    this.#log = log;
    this.#events = events;
    this.#consumer = undefined;
    this.#watcher = undefined;
    this.#timer = undefined;
    this.#turn = Promise.resolve();
    this.#stopped = false;
    this.#failing = false;
    this.#again = false;
    this.#ended = undefined;
  }

  start(): void {
    this.#wakeAfter(0);
  }

  get readingInode(): bigint | undefined {
    return this.#consumer?.sourceInode;
  }

  /** Another run began. */
  resume(): void {
    this.#again = this.#stopped;
    this.#ended?.resolve();
    this.#ended = undefined;
    this.#wakeAfter(0);
  }

  /** Begins to end, and says when that is done. */
  end(): Promise<void> {
    this.#ended ??= Promise.withResolvers<void>();
    this.#wakeAfter(0);
    return this.#ended.promise;
  }

  async finish(): Promise<void> {
    const { patienceMs } = this.#log;
    if (patienceMs === undefined) await this.end();
    else if (!this.#ended) await settlesWithin(this.end(), patienceMs);
  }

  /** Ends as far as there is time for it when the container is removed. */
  async leave(): Promise<void> {
    if (!this.#failing) await settlesWithin(this.end(), this.#log.removalMs);
  }

  /** Never rejects. */
  async stop(patienceMs: number): Promise<void> {
    this.#stopped = true;
    this.#sleep();
    if (!(await settlesWithin(this.#turn, patienceMs))) this.#consumer?.interrupt?.();
    await this.#turn;
    await this.#close();
    this.#ended?.resolve();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #wakeAfter(ms: number): void {
    if (this.#stopped) return;
    this.#sleep();
    this.#timer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#work());
    }, ms);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    if (this.#stopped) return;
    // Asked before: what is drained then is all there is.
    const ended = this.#ended;
    try {
      this.#consumer ??= await this.#log.open();
      const found = await this.#consumer.drain(() => this.#stopped);
      if (this.#stopped) return;
      if (ended && ended === this.#ended) await this.#end(this.#consumer);
      else if (found) this.#wakeAfter(BUSY_INTERVAL_MS);
      else await this.#wait(this.#consumer);
      this.#failing = false;
    } catch (error) {
      await this.#failed(error, ended);
    }
  }

  async #end(consumer: LogConsumer): Promise<void> {
    await consumer.finish();
    // Another run may have begun meanwhile.
    if (this.#ended) await this.#giveUp();
    else this.#wakeAfter(0);
  }

  async #giveUp(): Promise<void> {
    this.#stopped = true;
    this.#sleep();
    await this.#close();
    this.#ended?.resolve();
    if (!this.#again) return this.#events.onEnd();
    this.#again = false;
    this.#stopped = false;
    this.#wakeAfter(0);
  }

  async #failed(error: unknown, ended: PromiseWithResolvers<void> | undefined): Promise<void> {
    if (!this.#failing && !this.#stopped) this.#events.onError(error);
    this.#failing = true;
    if (ended && this.#log.patienceMs === undefined) await this.#giveUp();
    else {
      ended?.resolve();
      this.#wakeAfter(this.#log.retryMs);
    }
  }

  async #close(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.close().catch(this.#events.onError);
  }

  /** Until conmon writes. What it wrote between the last look and the first watch is found by one more look. */
  async #wait(consumer: LogConsumer): Promise<void> {
    if (this.#ended) return this.#wakeAfter(0);
    const name = basename(this.#log.sourcePath);
    const watcher = watch(dirname(this.#log.sourcePath), (_event, file) => {
      if (file === name && this.#watcher === watcher) this.#wakeAfter(0);
    });
    this.#watcher = watcher;
    watcher.unref();
    watcher.on('error', () => undefined);
    const found = await consumer.drain(() => this.#stopped);
    if (found && this.#watcher === watcher) this.#wakeAfter(BUSY_INTERVAL_MS);
  }
}
