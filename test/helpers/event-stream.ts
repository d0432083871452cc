import { type ApiClient, type ApiResponse, encodeFilters, jsonLines } from '#client';
import type { EventMessage } from '#spec';
import { within } from './until.ts';

/** An event as JSON gives it: its nanoseconds are rounded to a double. */
export type WireEvent = Omit<EventMessage, 'timeNano'> & { timeNano: number };

/** What `GET /events` says, kept in order. */
export class EventStream {
  readonly seen: WireEvent[] = [];
  readonly #response: ApiResponse;
  readonly #waiting = new Set<() => void>();
  #over = false;

  private constructor(response: ApiResponse) {
    this.#response = response;
    void this.#read();
  }

  /** Live events; `query` adds `since` and `until`. */
  static async open(
    client: ApiClient,
    filters: Readonly<Record<string, readonly string[]>> = {},
    query: Readonly<Record<string, string>> = {},
  ): Promise<EventStream> {
    const response = await client.send({
      method: 'GET',
      path: '/events',
      query: { ...query, filters: encodeFilters(filters) },
    });
    return new EventStream(response);
  }

  /** The first event, past ones included, that `matches`. */
  async next(matches: (event: WireEvent) => boolean, what: string): Promise<WireEvent> {
    const found = async (): Promise<WireEvent> => {
      for (let index = 0; ; index++) {
        while (index >= this.seen.length) {
          if (this.#over) throw new Error(`the event stream ended before ${what}`);
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
        }
        const event = this.seen[index];
        if (event && matches(event)) return event;
      }
    };
    try {
      return await within(found(), what);
    } catch (error) {
      throw new Error(`seen: ${this.actions().join(', ') || 'nothing'}`, { cause: error });
    }
  }

  /** The first event of this action about this object. */
  async action(action: string, id: string): Promise<WireEvent> {
    return await this.next((event) => event.Action === action && event.Actor.ID === id, `${action} of ${id}`);
  }

  actions(id?: string): string[] {
    return this.seen.filter((event) => id === undefined || event.Actor.ID === id).map((event) => event.Action);
  }

  /** Resolves when the engine ends the stream. */
  async ended(): Promise<void> {
    while (!this.#over) await within(new Promise<void>((resolve) => this.#waiting.add(resolve)), "the stream's end");
  }

  close(): void {
    this.#response.cancel();
  }

  async #read(): Promise<void> {
    try {
      for await (const event of jsonLines<WireEvent>(this.#response)) {
        this.seen.push(event);
        this.#wake();
      }
    } catch {
      // A closed or broken stream is over; whoever waits for an event learns it from `next`.
    }
    this.#over = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
