import type { EngineError } from '#errors';
import { cancelled, connectionError, registryFailure, requestText, timeoutError } from './failures.ts';
import type { RegistryLimits } from './limits.ts';
import type { HttpResponse } from './transport.ts';

/**
 * The pieces of a body. Waiting for the next one has a limit, and so has coming too slowly on the whole; the time that the reader takes
 * for itself counts for neither. Leaving the loop early ends the connection.
 *
 * @throws {@link EngineError} unavailable when it breaks off or gets stuck; cancelled.
 */
export async function* readBody(response: HttpResponse, limits: RegistryLimits): AsyncGenerator<Buffer, void> {
  const { message, request } = response;
  const stall = new Stall(limits, () =>
    message.destroy(timeoutError(request.method, request.url, 'read: i/o timeout')),
  );
  try {
    stall.wait();
    for await (const chunk of message as AsyncIterable<Buffer>) {
      stall.got(chunk.length);
      yield chunk;
      stall.wait();
    }
  } catch (error) {
    throw explain(response, error);
  } finally {
    stall.end();
    response.release();
    message.destroy();
  }
}

function explain(response: HttpResponse, error: unknown): unknown {
  const { request } = response;
  if (request.signal.aborted) return cancelled(request.signal);
  if (!(error instanceof Error) || !('code' in error) || error.name === 'EngineError') return error;
  if (error.code === 'ECONNRESET' && error.message === 'aborted') {
    return registryFailure(
      'unavailable',
      'REGISTRY_UNREACHABLE',
      requestText(request.method, request.url, 'unexpected EOF'),
      { transient: true, connection: 'reset' },
      error,
    );
  }
  return connectionError(request.method, request.url, error);
}

/** Watches the time spent waiting for the other side. */
class Stall {
  readonly #limits: RegistryLimits;
  readonly #giveUp: () => void;
  #timer: NodeJS.Timeout | undefined;
  #waitingSince: number | undefined;
  #waitedMs: number;
  #gotBytes: number;

  constructor(limits: RegistryLimits, giveUp: () => void) {
    this.#limits = limits;
    this.#giveUp = giveUp;
    this.#waitedMs = 0;
    this.#gotBytes = 0;
  }

  wait(): void {
    this.#waitingSince = performance.now();
    // One timer for all pieces: what it finds when it fires decides, not when it was set.
    this.#timer ??= setTimeout(() => this.#check(), this.#limits.idleMs);
  }

  got(bytes: number): void {
    this.#waitedMs += performance.now() - (this.#waitingSince ?? performance.now());
    this.#waitingSince = undefined;
    this.#gotBytes += bytes;
    if (this.#waitedMs < this.#limits.idleMs) return;
    if (this.#gotBytes < (this.#waitedMs / 1000) * this.#limits.minimumBytesPerSecond) this.#giveUp();
    this.#waitedMs = 0;
    this.#gotBytes = 0;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waitingSince = undefined;
  }

  #check(): void {
    this.#timer = undefined;
    if (this.#waitingSince === undefined) return;
    const leftMs = this.#limits.idleMs - (performance.now() - this.#waitingSince);
    if (leftMs <= 0) this.#giveUp();
    else this.#timer = setTimeout(() => this.#check(), leftMs);
  }
}

/** A whole body of at most `capBytes`, within the time that such bodies have. @throws `tooLong()` when it is longer. */
export async function readWhole(
  response: HttpResponse,
  options: { capBytes: number; limits: RegistryLimits; tooLong: () => EngineError },
): Promise<Buffer> {
  const { limits, capBytes } = options;
  const { request, message } = response;
  if (Number(response.headers['content-length'] ?? 0) > capBytes) {
    discardNow(response);
    throw options.tooLong();
  }
  const timer = setTimeout(
    () => message.destroy(timeoutError(request.method, request.url, 'read: i/o timeout')),
    limits.bodyMs,
  );
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of readBody(response, limits)) {
      length += chunk.length;
      if (length > capBytes) throw options.tooLong();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } finally {
    clearTimeout(timer);
  }
}

/** Bodies up to this size are read to their end to keep the connection, bigger ones are cut off. */
const WORTH_READING_BYTES = 64 * 1024;
const WORTH_WAITING_MS = 2000;

/**
 * Gets rid of an answer whose body nobody wants. Never throws. Resolves when its connection is free for the next request, or closed; who sends
 * none need not wait for it.
 */
export async function discard(response: HttpResponse): Promise<void> {
  const { message } = response;
  if (message.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  let length = 0;
  const timer = setTimeout(() => message.destroy(), WORTH_WAITING_MS).unref();
  message.on('error', () => undefined);
  message.on('close', resolve);
  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > WORTH_READING_BYTES) message.destroy();
  });
  await promise;
  clearTimeout(timer);
}

function discardNow(response: HttpResponse): void {
  response.release();
  response.message.on('error', () => undefined);
  response.message.destroy();
}
