import type { Database } from '#store';

interface Waiting {
  run(): void;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Changes of the database, each all or nothing, that share the wait for the disk: what was asked for in one turn of the
 * event loop is committed at once. Under many pushes the disk is waited for once per turn and not once per push.
 */
export class CommitQueue {
  readonly #db: Database;
  #waiting: Waiting[];

  constructor(db: Database) {
    this.#db = db;
    this.#waiting = [];
  }

  /** Resolves when what `work` did is on the disk. Nothing is awaited inside `work`. What it throws undoes it alone. */
  async run<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let settle = (): void => undefined;
    this.#waiting.push({
      run: () => {
        try {
          const value = this.#db.transaction(work);
          settle = () => resolve(value);
        } catch (error) {
          settle = () => reject(error);
        }
      },
      done: () => settle(),
      failed: reject,
    });
    if (this.#waiting.length === 1) setImmediate(() => this.#flush());
    return await promise;
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      this.#db.transaction(() => batch.forEach((each) => each.run()));
    } catch (error) {
      batch.forEach((each) => each.failed(error));
      return;
    }
    batch.forEach((each) => each.done());
  }
}
