import { type ApiClient, jsonLines } from '#client';
import type { ContainerStats, StatsEntry } from './stats-rows.ts';

/** Figures older than this are shown no more. */
const staleMs = 2000;

/** Keeps the latest statistics of one container. */
export class StatsCollector {
  readonly container: string;
  /** Settles once there are figures, or it is clear that there will be none soon. */
  readonly ready: Promise<void>;
  /** Why there are no figures. */
  error: unknown;
  readonly #abort = new AbortController();
  #entry: StatsEntry;

  constructor(client: ApiClient, container: string, stream: boolean) {
    this.container = container;
    this.#entry = { container, stats: {}, valid: false };
    const first = Promise.withResolvers<void>();
    this.ready = first.promise;
    void this.#collect(client, stream, first.resolve);
  }

  get entry(): StatsEntry {
    return this.#entry;
  }

  stop(): void {
    this.#abort.abort();
  }

  async #collect(client: ApiClient, stream: boolean, onFirst: () => void): Promise<void> {
    // A single reading takes the daemon about as long, so only a stream is watched.
    const watchdog = setTimeout(() => {
      if (!stream) return;
      this.#invalidate(new Error('timeout waiting for stats'));
      onFirst();
      watchdog.refresh();
    }, staleMs);
    try {
      const path = `/containers/${encodeURIComponent(this.container)}/stats`;
      const { signal } = this.#abort;
      const response = await client.send({ method: 'GET', path, query: { stream: stream ? '1' : '0' }, signal });
      for await (const stats of jsonLines<ContainerStats>(response)) {
        watchdog.refresh();
        this.#entry = { container: this.container, stats, valid: true };
        this.error = undefined;
        onFirst();
      }
    } catch (error) {
      this.#invalidate(error);
    } finally {
      clearTimeout(watchdog);
      onFirst();
    }
    if (stream) this.#entry = { ...this.#entry, valid: false };
  }

  #invalidate(error: unknown): void {
    this.error = error;
    const { id, name } = this.#entry.stats;
    const stats = { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) };
    this.#entry = { container: this.container, stats, valid: false };
  }
}
