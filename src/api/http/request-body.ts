import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { EngineError } from '#errors';

/** How long a client may go on sending a body that nobody wants, so that it comes to read why. */
const discardMs = 30_000;

/**
 * A request's body for whoever reads it. Destroying it, as loops and pipelines do that stop early, discards what is still to
 * come; destroying the request itself would cut the connection, and the client would never read the answer.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  #attached: boolean;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
    this.#attached = false;
  }

  override _read(): void {
    if (!this.#attached) this.#attach();
    this.#request.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#request.resume();
    done(error);
  }

  #attach(): void {
    this.#attached = true;
    const request = this.#request;
    const broken = (): void => {
      if (!request.complete) this.destroy(new EngineError('cancelled', 'BODY_CUT', 'client disconnected'));
    };
    request.on('data', (chunk: Buffer) => {
      if (!this.destroyed && !this.push(chunk)) request.pause();
    });
    request.on('end', () => {
      if (!this.destroyed) this.push(null);
    });
    request.on('error', broken);
    request.on('close', broken);
    if (request.destroyed) broken();
  }
}

/** Lets a client finish sending after the answer, within bounds; see {@link RequestBody}. */
export function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.on('error', () => undefined);
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), discardMs);
  timer.unref();
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop);
  request.once('close', stop);
}
