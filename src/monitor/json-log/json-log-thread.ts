import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JsonLog } from './json-log-converter.ts';

/** A thread without work is ended: it would keep memory. */
const IDLE_MS = 3000;

export interface ConvertRequest {
  id: number;
  log: JsonLog;
}

export type ConvertAnswer = { id: number; inode: bigint } | { id: number; error: Error };

/** The thread that converts in bulk, started when there is work. */
class JsonLogThread {
  #worker: Worker | undefined;
  readonly #waiting: Map<number, PromiseWithResolvers<bigint>>;
  #lastId: number;
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    this.#worker = undefined;
    this.#waiting = new Map();
    this.#lastId = 0;
    this.#idle = undefined;
  }

  /** Converts a good deal of a log, or all; the file of conmon's log that comes next. Nobody else may meanwhile. */
  async convert(log: JsonLog): Promise<bigint> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const request: ConvertRequest = { id: ++this.#lastId, log };
    const answer = Promise.withResolvers<bigint>();
    this.#waiting.set(request.id, answer);
    worker.postMessage(request);
    try {
      return await answer.promise;
    } finally {
      this.#waiting.delete(request.id);
      if (this.#waiting.size === 0) this.#endWhenIdle();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL(`./json-log-worker${extname(import.meta.url)}`, import.meta.url));
    worker.unref();
    worker.on('message', (answer: ConvertAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      if ('error' in answer) waiting?.reject(answer.error);
      else waiting?.resolve(answer.inode);
    });
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the thread that converts logs ended')));
    return worker;
  }

  #lost(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    }, IDLE_MS).unref();
  }
}

export const jsonLogThread: JsonLogThread = new JsonLogThread();
