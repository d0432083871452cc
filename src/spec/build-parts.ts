import { EngineError } from '#errors';

/**
 * The body of `POST /build` from our own client, where one archive is not enough. Any number of parts, each
 *
 * ```
 * {"part":"secret","id":"token"}\n     what comes
 * 00 00 00 05 hello                    its content in pieces, the length of each before it
 * 00 00 00 00                          its end
 * ```
 *
 * The main context is the part without a name, and the last.
 */
export const BUILD_PARTS_TYPE = 'application/vnd.berth.build.v1';

/** The header of our client's wishes that Docker's API has no parameter for: JSON of {@link BuildExtras}. */
export const BUILD_EXTRAS_HEADER = 'x-berth-build';

export interface BuildExtras {
  /** Progress as events (`id` is {@link BUILD_EVENT_ID}) instead of the classic text. */
  readonly events?: boolean;
  /** Only read and check the Dockerfile. */
  readonly check?: boolean;
  /** Stages that take nothing from the cache. */
  readonly noCacheFilter?: readonly string[];
}

/** `id` of the lines whose `aux` is a {@link BuildEventLine}. */
export const BUILD_EVENT_ID = 'berth.build.event';

/** What happens during a build, on the wire. Times are the reader's. */
export type BuildEventLine =
  | { readonly kind: 'planned'; readonly steps: readonly { id: string; name: string; isLayer: boolean }[] }
  | { readonly kind: 'started'; readonly stepId: string }
  | { readonly kind: 'output'; readonly stepId: string; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'finished'; readonly stepId: string; readonly cached: boolean }
  | { readonly kind: 'failed'; readonly stepId: string; readonly message: string; readonly excerpt: string }
  | { readonly kind: 'warning'; readonly rule: string; readonly message: string; readonly excerpt: string };

export type BuildPart =
  | { readonly part: 'secret'; readonly id: string }
  /** An archive; the main context has no name. */
  | { readonly part: 'context'; readonly name: string }
  /** Instead of the one in the context. */
  | { readonly part: 'dockerfile' }
  /** A name for an image; no content. */
  | { readonly part: 'image'; readonly name: string; readonly reference: string }
  /** A name for a repository or an archive at an address; no content. */
  | { readonly part: 'remote'; readonly name: string; readonly address: string };

const MAX_HEADER_BYTES = 64 * 1024;
const MAX_PIECE_BYTES = 16 * 1024 * 1024;
const LENGTH_BYTES = 4;

/** A part to send. */
export interface OutgoingBuildPart {
  readonly header: BuildPart;
  readonly content?: AsyncIterable<Uint8Array> | undefined;
}

/** The bytes of some parts. */
export async function* encodeBuildParts(parts: Iterable<OutgoingBuildPart>): AsyncGenerator<Uint8Array, void, void> {
  for (const { header, content } of parts) {
    yield Buffer.from(`${JSON.stringify(header)}\n`);
    for await (const piece of content ?? []) {
      if (piece.length === 0) continue;
      yield lengthOf(piece.length);
      yield piece;
    }
    yield lengthOf(0);
  }
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes);
  return length;
}

/** A part as it comes; its content is to be read before the next part is asked for, or is skipped. */
export interface IncomingBuildPart {
  readonly header: BuildPart;
  readonly content: AsyncGenerator<Buffer, void, void>;
}

/** @throws invalidArgument for what is no such body, one that is cut off too. */
export async function* decodeBuildParts(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<IncomingBuildPart, void, void> {
  const reader = new PartReader(body);
  try {
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      const content = reader.pieces();
      yield { header: decodeHeader(line), content };
      for await (const _rest of content);
    }
  } finally {
    await reader.close();
  }
}

class PartReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#source = body[Symbol.asyncIterator]();
  }

  /** Undefined at the end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#held.subarray(0, end).toString('utf8');
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > MAX_HEADER_BYTES) throw malformed('a header is too long');
      if (await this.#more()) continue;
      if (this.#held.length === 0) return undefined;
      throw malformed('unexpected EOF');
    }
  }

  async *pieces(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const length = (await this.#take(LENGTH_BYTES)).readUInt32BE();
      if (length === 0) return;
      if (length > MAX_PIECE_BYTES) throw malformed('a piece is too long');
      yield await this.#take(length);
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#held.length < bytes) if (!(await this.#more())) throw malformed('unexpected EOF');
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value]);
    return true;
  }
}

function decodeHeader(line: string): BuildPart {
  const value = parse(line);
  const text = (name: string): string => {
    const found: unknown = value[name];
    if (typeof found !== 'string') throw malformed(`a part has no ${name}`);
    return found;
  };
  switch (value['part']) {
    case 'secret':
      return { part: 'secret', id: text('id') };
    case 'context':
      return { part: 'context', name: text('name') };
    case 'dockerfile':
      return { part: 'dockerfile' };
    case 'image':
      return { part: 'image', name: text('name'), reference: text('reference') };
    case 'remote':
      return { part: 'remote', name: text('name'), address: text('address') };
    default:
      throw malformed('a part of unknown kind');
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Told below.
  }
  throw malformed('a header is no JSON object');
}

function malformed(why: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_BUILD_BODY', `invalid build request: ${why}`);
}
