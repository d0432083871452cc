import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { EngineError } from '#errors';
import { bodyTooLarge } from './body.ts';

/** Longest chunk-size line (with extensions) or trailer line accepted. */
const lineLimitBytes = 4096;

function malformed(what: string): EngineError {
  return new EngineError('invalidArgument', 'MALFORMED_BODY', `malformed request body: ${what}`);
}

/** Takes bytes off a paused socket, exactly as many as asked for. */
class SocketReader {
  readonly #socket: Socket;
  #buffer: Buffer;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#buffer = Buffer.alloc(0);
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) await this.#more();
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  /** A line without its end. */
  async line(): Promise<string> {
    let end = this.#buffer.indexOf('\r\n');
    while (end < 0) {
      if (this.#buffer.length > lineLimitBytes) throw malformed('line too long');
      await this.#more();
      end = this.#buffer.indexOf('\r\n');
    }
    return (await this.bytes(end + 2)).toString('latin1', 0, end);
  }

  /** Gives back to the socket what nobody took. */
  release(): void {
    if (this.#buffer.length > 0) this.#socket.unshift(this.#buffer);
    this.#buffer = Buffer.alloc(0);
  }

  async #more(): Promise<void> {
    for (;;) {
      const chunk: unknown = this.#socket.read();
      if (Buffer.isBuffer(chunk)) {
        this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
        return;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) throw malformed('unexpected EOF');
      await readable(this.#socket);
    }
  }
}

function readable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close'] as const;
    const done = (): void => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
  });
}

async function readChunked(reader: SocketReader, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const size = /^([0-9a-fA-F]{1,8})\s*(?:;.*)?$/.exec(await reader.line())?.[1];
    if (size === undefined) throw malformed('invalid chunk size');
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    total += length;
    if (total > limitBytes) throw bodyTooLarge(limitBytes);
    chunks.push(await reader.bytes(length));
    if ((await reader.line()) !== '') throw malformed('chunk longer than announced');
  }
  for (let trailers = 0; (await reader.line()) !== ''; trailers++) {
    if (trailers > 100) throw malformed('too many trailers');
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a request's body off a connection that no HTTP parser reads any more. Bytes behind the body stay in the socket.
 *
 * @throws {@link EngineError} invalidArgument when the body is malformed, cut off or longer than `limitBytes`.
 */
export async function readRawBody(socket: Socket, headers: IncomingHttpHeaders, limitBytes: number): Promise<Buffer> {
  const reader = new SocketReader(socket);
  try {
    if (headers['transfer-encoding'] !== undefined) return await readChunked(reader, limitBytes);
    const length = Number(headers['content-length'] ?? 0);
    if (length > limitBytes) throw bodyTooLarge(limitBytes);
    return await reader.bytes(length);
  } finally {
    reader.release();
  }
}
