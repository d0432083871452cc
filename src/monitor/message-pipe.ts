import type { Socket } from 'node:net';
import { type SyncMessage, SyncMessageParser } from './sync-messages.ts';

/** Lines of JSON from one of conmon's pipes, one at a time; undefined after the end. */
export class MessagePipe implements Disposable {
  readonly #pipe: Socket;
  readonly #parser: SyncMessageParser;
  readonly #messages: SyncMessage[];
  #ended: boolean;
  #wake: (() => void)[];

  constructor(pipe: Socket) {
    this.#pipe = pipe;
    this.#parser = new SyncMessageParser();
    this.#messages = [];
    this.#ended = false;
    this.#wake = [];
    pipe.setEncoding('utf8');
    pipe.on('data', (chunk: string) => this.#arrived(this.#parser.push(chunk)));
    pipe.on('error', () => this.#end());
    pipe.on('close', () => this.#end());
    pipe.on('end', () => this.#end());
  }

  /** Whether {@link next} answers at once. */
  get ready(): boolean {
    return this.#messages.length > 0 || this.#ended;
  }

  async next(): Promise<SyncMessage | undefined> {
    await this.available();
    return this.#messages.shift();
  }

  /** Resolves when {@link next} answers at once. */
  async available(): Promise<void> {
    while (!this.ready) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async ended(): Promise<void> {
    while ((await this.next()) !== undefined);
  }

  /** A process that runs for days must not keep this program from ending. */
  unref(): void {
    this.#pipe.unref();
  }

  [Symbol.dispose](): void {
    this.#pipe.destroy();
  }

  #arrived(messages: SyncMessage[]): void {
    this.#messages.push(...messages);
    this.#wakeAll();
  }

  #end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
