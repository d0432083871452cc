import { nowNano } from '#lib';
import type { EventMessage } from '#spec';
import { matchesEvent, type EventFilters } from './event-filter.ts';

/** How many past events can be replayed. dockerd keeps 256. */
const historyLength = 1024;

/** A subscriber that has this many unread events is disconnected: it stopped reading. */
const maxBacklog = 16_384;

export interface SubscribeOptions {
  /** Nanoseconds since the epoch: replay what is kept from then on first. */
  since?: bigint | undefined;
  /** Nanoseconds since the epoch: the iteration ends there. */
  until?: bigint | undefined;
  filters: EventFilters;
  signal: AbortSignal;
}

/** Tells everybody what happened to containers, images, volumes and networks. Events are published after their commit. */
export class EventBus {
  readonly #history: EventMessage[] = [];
  readonly #subscribers = new Set<(event: EventMessage) => void>();
  #lastTime = 0n;

  /** Publishes one event; its time is later than that of every event before. */
  publish(type: EventMessage['Type'], action: string, id: string, attributes: Record<string, string>): void {
    const now = nowNano();
    const time = now > this.#lastTime ? now : this.#lastTime + 1n;
    this.#lastTime = time;
    const event: EventMessage = {
      ...legacyFields(type, action, id, attributes),
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(time / 1_000_000_000n),
      timeNano: time,
    };
    this.#history.push(event);
    if (this.#history.length > historyLength) this.#history.shift();
    for (const deliver of this.#subscribers) deliver(event);
  }

  /** How many clients listen now. */
  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  /**
   * Events as they come, after the replayed ones. Subscribed by the time this returns.
   *
   * A reader that falls 16384 events behind has its iteration ended.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<EventMessage> {
    const { since, until, filters, signal } = options;
    const queue: EventMessage[] = [];
    let wake: (() => void) | undefined;
    let ended = false;
    const end = (): void => {
      ended = true;
      this.#subscribers.delete(deliver);
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      wake?.();
    };
    const deliver = (event: EventMessage): void => {
      if (until !== undefined && event.timeNano > until) return end();
      if (!matchesEvent(event, filters)) return;
      queue.push(event);
      if (queue.length > maxBacklog) end();
      wake?.();
    };
    let timer: NodeJS.Timeout | undefined;
    if (since !== undefined || until !== undefined) {
      for (const event of this.#history) {
        if (ended) break;
        if (since === undefined || event.timeNano >= since) deliver(event);
      }
    }
    const remaining = until === undefined ? undefined : until - nowNano();
    if (signal.aborted || (remaining !== undefined && remaining <= 0n)) {
      end();
    } else if (!ended) {
      this.#subscribers.add(deliver);
      signal.addEventListener('abort', end, { once: true });
      if (remaining !== undefined) timer = setLongTimeout(end, Number(remaining / 1_000_000n) + 1);
    }
    async function* iterate(): AsyncGenerator<EventMessage> {
      try {
        for (;;) {
          const next = queue.shift();
          if (next) yield next;
          else if (ended) return;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        end();
      }
    }
    return iterate();
  }
}

/** setTimeout that does not fire at once for more than 24 days. */
function setLongTimeout(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(callback, Math.min(ms, 2_147_483_647));
}

function legacyFields(
  type: EventMessage['Type'],
  action: string,
  id: string,
  attributes: Record<string, string>,
): Pick<EventMessage, 'status' | 'id' | 'from'> {
  if (type === 'container') {
    const image = attributes['image'];
    return image ? { status: action, id, from: image } : { status: action, id };
  }
  return type === 'image' ? { status: action, id } : {};
}
