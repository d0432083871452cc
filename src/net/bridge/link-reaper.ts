import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '#lib';
import type { RouteSocket } from '#sys';

/** How long the kernel is given to take a detached link down by itself before it is told to. */
const GRACE_MS = 2000;

/**
 * Sees to it that links which left the bridge also leave the kernel. Normally the kernel has deleted them with their
 * namespace long before; a process that keeps the namespace alive keeps the link too, and then it is deleted here, which
 * stops the thread for some 30 ms.
 */
export class LinkReaper {
  readonly #socket: RouteSocket;
  readonly #logger: Logger;
  readonly #names = new Set<string>();
  readonly #urgent: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #soon: Promise<void> | undefined;

  constructor(socket: RouteSocket, logger: Logger) {
    this.#socket = socket;
    this.#logger = logger;
  }

  add(linkName: string): void {
    this.#names.add(linkName);
    this.#timer ??= setTimeout(() => this.flush(), GRACE_MS).unref();
  }

  /** Deletes what is still there now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = [...this.#names];
    this.#names.clear();
    try {
      this.#socket.deleteLinks(names);
    } catch (error) {
      this.#logger.warn('cannot delete network interfaces', { names: names.join(' '), error });
    }
  }

  /** Deletes a link with all others that are to go in this turn of the event loop; it is gone when this resolves. */
  async removeSoon(linkName: string): Promise<void> {
    this.#urgent.push(linkName);
    this.#soon ??= nextTurn().then(() => {
      this.#soon = undefined;
      this.#socket.deleteLinks(this.#urgent.splice(0));
    });
    await this.#soon;
  }
}
