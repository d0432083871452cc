import { statSync } from 'node:fs';
import { failpoint } from '#lib';
import type { FollowedLog, LogConsumer } from '../log-followers.ts';
import { LogSource } from '../log-source.ts';
import type { LogDestination } from './contract.ts';
import { closeLines, splitMessages } from './message-splitter.ts';
import { loadShipState, saveShipState, type ShipState } from './ship-state.ts';

/** What is delivered at once, and may come twice after a kill. */
const CHUNK_BYTES = 64 * 1024;
/** How long the end of a container waits for a receiver; Docker's time. */
const PATIENCE_MS = 10_000;

export interface ShippedLog {
  /** The log that conmon writes. */
  sourcePath: string;
  /** Where to keep how far the delivery is. */
  statePath: string;
  /** How long to wait before trying again. */
  retryMs: number;
  /** @throws what makes delivering impossible for now. */
  open(): LogDestination;
}

/** A log that goes to a receiver, for those who follow logs. */
export function followShippedLog(log: ShippedLog): FollowedLog {
  return {
    sourcePath: log.sourcePath,
    retryMs: log.retryMs,
    patienceMs: PATIENCE_MS,
    removalMs: PATIENCE_MS,
    open: () => Promise.resolve().then(() => new LogShipper(log)),
  };
}

/** Whether a log that nobody writes to was delivered to its end. */
export function isDelivered({ sourcePath, statePath }: Pick<ShippedLog, 'sourcePath' | 'statePath'>): boolean {
  const last = statSync(sourcePath, { bigint: true, throwIfNoEntry: false });
  if (!last) return true;
  const { source, open } = loadShipState(statePath);
  return source?.inode === last.ino && BigInt(source.offset) >= last.size && closeLines(open).length === 0;
}

/**
 * Delivers conmon's log to a receiver, from where it was left: a batch is delivered, then committed. What was delivered
 * and not committed when we died comes again.
 */
class LogShipper implements LogConsumer {
  readonly #statePath: string;
  readonly #source: LogSource;
  readonly #destination: LogDestination;
  #state: ShipState;

  constructor(log: ShippedLog) {
    this.#statePath = log.statePath;
    this.#state = loadShipState(log.statePath);
    this.#source = new LogSource(log.sourcePath, this.#state.source);
    this.#destination = log.open();
  }

  get sourceInode(): bigint {
    return this.#source.position.inode;
  }

  async drain(stop: () => boolean): Promise<boolean> {
    let delivered = false;
    while (!stop()) {
      const found = await this.#source.read(CHUNK_BYTES);
      if (found === undefined) break;
      const { messages, open } = splitMessages(found.records, this.#state.open);
      if (messages.length > 0) await this.#destination.deliver(messages);
      failpoint('log-delivered');
      this.#source.advance(found.bytes);
      this.#commit({ source: this.#source.position, open });
      delivered = true;
    }
    return delivered;
  }

  async finish(): Promise<void> {
    const messages = closeLines(this.#state.open);
    if (messages.length === 0) return;
    await this.#destination.deliver(messages);
    this.#commit({ source: this.#source.position, open: {} });
  }

  interrupt(): void {
    this.#destination.close();
  }

  async close(): Promise<void> {
    this.#destination.close();
    await this.#source.close();
  }

  #commit(state: ShipState): void {
    saveShipState(this.#statePath, state);
    this.#state = state;
  }
}
