import type { WaitResponse } from '#spec';

type Condition = 'not-running' | 'next-exit' | 'removed';

/** An attach that came before the start: told when the process exists, or that it never will. */
export interface PendingAttach {
  /** Connect now; the start goes on when this has resolved. */
  connect(): Promise<void>;
  /** The start failed or the container is gone. */
  abandon(): void;
}

/**
 * What we know of a container only while we live: who waits for it, who wants to be attached, its execs.
 */
export class Session {
  readonly pendingAttaches: Set<PendingAttach> = new Set();
  readonly execIds: Set<string> = new Set();
  /** When an exec ended last, in milliseconds since the epoch. */
  lastExecAt = 0;
  readonly #waiters = new Set<{ condition: Condition; resolve: (response: WaitResponse) => void }>();
  /** Resolves when the run going on now has ended and its end is committed. */
  runEnded: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  /** Aborts the timer of a pending restart. */
  restartTimer: NodeJS.Timeout | undefined;
  /** When a user last sent a signal, by the monotonic clock. */
  signalledAtMs: number = -Infinity;
  /** Consecutive quick failures, for the restart back-off. */
  quickExits = 0;

  /** Registers a waiter; it is armed when this returns. Its promise never settles if `signal` aborts. */
  wait(condition: Condition, signal: AbortSignal): Promise<WaitResponse> {
    const { promise, resolve } = Promise.withResolvers<WaitResponse>();
    const waiter = { condition, resolve };
    this.#waiters.add(waiter);
    signal.addEventListener('abort', () => this.#waiters.delete(waiter), { once: true });
    return promise;
  }

  /** A run ended. */
  notifyExit(response: WaitResponse): void {
    this.#notify(response, (condition) => condition !== 'removed');
    this.runEnded.resolve();
  }

  /** The container is gone: releases every waiter that is left. */
  notifyRemoved(response: WaitResponse): void {
    this.#notify(response, () => true);
    for (const pending of this.pendingAttaches) pending.abandon();
    this.pendingAttaches.clear();
  }

  #notify(response: WaitResponse, applies: (condition: Condition) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!applies(waiter.condition)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(response);
    }
  }
}
