import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#lib';
import type { Database, Statement } from '#store';
import type { NotificationEndpoint } from '../config/schema.ts';

const eventsPerRequest = 50;
const firstWaitMs = 500;
const longestWaitMs = 5 * 60_000;

/** Delivers one endpoint's queue, the oldest first. What fails is tried again, later and later, and nothing overtakes it. */
export class Delivery {
  readonly #db: Database;
  readonly #endpoint: NotificationEndpoint;
  readonly #logger: Logger;
  readonly #oldest: Statement;
  readonly #remove: Statement;
  readonly #stop: AbortController;
  readonly #running: Promise<void>;
  #wake: () => void;
  #queued: number;
  #isFull: boolean;

  constructor(db: Database, endpoint: NotificationEndpoint, logger: Logger) {
    this.#db = db;
    this.#endpoint = endpoint;
    this.#logger = logger;
    this.#oldest = db.prepare('SELECT id, event FROM notifications WHERE endpoint = ? ORDER BY id LIMIT ?');
    this.#remove = db.prepare('DELETE FROM notifications WHERE endpoint = ? AND id <= ?');
    this.#queued = Number(
      db.prepare('SELECT count(*) AS count FROM notifications WHERE endpoint = ?').get(endpoint.name)?.['count'] ?? 0,
    );
    this.#isFull = false;
    this.#stop = new AbortController();
    this.#wake = () => undefined;
    this.#running = this.#run();
  }

  /** Whether the queue takes one more; that it does not is logged once. */
  hasRoom(): boolean {
    const isFull = this.#queued >= this.#endpoint.maxQueued;
    if (isFull && !this.#isFull) {
      this.#logger.warn('notifications are dropped: the queue is full', { endpoint: this.#endpoint.name });
    }
    this.#isFull = isFull;
    return !isFull;
  }

  /** There is one event more. */
  wake(): void {
    this.#queued += 1;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const rows = this.#oldest.all(this.#endpoint.name, eventsPerRequest);
      const last = rows.at(-1)?.['id'];
      if (last === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      if (await this.#post(rows.map((row) => String(row['event'])))) {
        failures = 0;
        this.#db.relaxed(() => this.#remove.run(this.#endpoint.name, last));
        this.#queued -= rows.length;
      } else {
        failures += 1;
        const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(failures, 20));
        await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  async #post(events: readonly string[]): Promise<boolean> {
    const { name, url, headers, timeoutSeconds } = this.#endpoint;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/vnd.docker.distribution.events.v1+json' },
        body: `{"events":[${events.join(',')}]}`,
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
      });
      await response.body?.cancel();
      if (response.ok) return true;
      this.#logger.warn('notifications were refused', { endpoint: name, status: response.status });
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#logger.warn('notifications were not delivered', { endpoint: name, error });
    }
    return false;
  }
}
