import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** bcrypt takes a tenth of a second of computing, so it has a thread of its own, started when it is first needed. */
export class BcryptThread {
  readonly #waiting: Map<number, (matches: boolean) => void>;
  #worker: Worker | undefined;
  #lastId: number;

  constructor() {
    this.#waiting = new Map();
    this.#lastId = 0;
  }

  /** Comparisons not yet answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  async compare(password: string, hash: string): Promise<boolean> {
    const worker = (this.#worker ??= this.#start());
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.set(id, resolve);
    worker.postMessage({ id, password, hash });
    return await promise;
  }

  close(): void {
    void this.#worker?.terminate();
    this.#giveUp();
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./bcrypt-worker${extname(import.meta.url)}`, import.meta.url));
    worker.unref();
    worker.on('message', ({ id, matches }: { id: number; matches: boolean }) => {
      this.#waiting.get(id)?.(matches);
      this.#waiting.delete(id);
    });
    worker.on('error', () => {
      this.#worker = undefined;
      this.#giveUp();
    });
    return worker;
  }

  /** Who cannot be checked does not get in. */
  #giveUp(): void {
    for (const resolve of this.#waiting.values()) resolve(false);
    this.#waiting.clear();
  }
}
