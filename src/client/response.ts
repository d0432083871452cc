import type { Connection } from './connection.ts';
import { type BodyFraming, readBody, type ResponseHead } from './http.ts';

/** An answer whose body is read once, by one of its methods or by iterating it. */
export class ApiResponse implements AsyncIterable<Buffer> {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly #connection: Connection;
  readonly #framing: BodyFraming;
  readonly #settle: (reusable: boolean) => void;
  #settled = false;

  /** `settle` is called once, when the body is over; `reusable` says whether the connection can serve another request. */
  constructor(head: ResponseHead, connection: Connection, framing: BodyFraming, settle: (reusable: boolean) => void) {
    this.status = head.status;
    this.headers = head.headers;
    this.#connection = connection;
    this.#framing = framing;
    this.#settle = settle;
    if (framing.kind === 'empty') this.#end(true);
  }

  /** The body as it comes. Stopping early drops the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    if (this.#settled) return;
    let whole = false;
    try {
      yield* readBody(this.#connection, this.#framing);
      whole = true;
    } finally {
      this.#end(whole && this.#framing.kind !== 'untilClose');
    }
  }

  async bytes(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString('utf8');
  }

  /** The body as JSON; an empty one is undefined. */
  async json<T>(): Promise<T> {
    const text = await this.text();
    /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the daemon's answers are trusted to have their shape */
    return (text.trim() === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Reads the body away, so that the connection can be used again. */
  async discard(): Promise<void> {
    for await (const _chunk of this) continue;
  }

  /** Drops the connection without waiting for the rest. */
  cancel(): void {
    if (!this.#settled) this.#end(false);
  }

  #end(reusable: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(reusable && this.headers.get('connection')?.toLowerCase() !== 'close');
  }
}
