import { connect as connectPlain, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Endpoint, TlsOptions } from './endpoint.ts';
import { ProtocolError } from './errors.ts';

/** Bytes received but not yet read, above which the socket is paused. */
const highWaterBytes = 256 * 1024;

/**
 * A socket with pull reading: chunks are handed out in order, can be put back, and the peer is held back while nobody
 * reads. The two directions end separately.
 */
export class Connection {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes > highWaterBytes) socket.pause();
      this.#notify();
    });
    socket.on('end', () => this.#finish());
    socket.on('error', (error) => {
      this.#error = error;
      this.#finish();
    });
    socket.on('close', () => this.#finish());
  }

  /** Whether the peer may still send and nothing went wrong. */
  get alive(): boolean {
    return !this.#ended && this.#error === undefined && !this.socket.destroyed;
  }

  /** The next chunk, or undefined at the end of the stream. @throws the socket's error, after what came before it. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes <= highWaterBytes && this.socket.isPaused()) this.socket.resume();
        return chunk;
      }
      if (this.#error) throw this.#error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Puts bytes back in front of what is still to be read. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.unshift(chunk);
    this.#waitingBytes += chunk.length;
  }

  /** Writes and waits while the peer is slow. */
  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.socket.write(chunk)) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.socket.off('drain', done);
        this.socket.off('close', failed);
        resolve();
      };
      const failed = (): void => {
        this.socket.off('drain', done);
        reject(this.#error ?? new ProtocolError('connection closed while writing'));
      };
      this.socket.once('drain', done);
      this.socket.once('close', failed);
    });
  }

  /** Ends our direction; the peer's goes on. */
  closeWrite(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #finish(): void {
    this.#ended = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Connects; rejects with the system's error, or the signal's reason. The caller destroys the connection. */
export async function openConnection(
  endpoint: Endpoint,
  tls: TlsOptions | undefined,
  signal?: AbortSignal,
): Promise<Connection> {
  signal?.throwIfAborted();
  const { socket, readyEvent } = await createSocket(endpoint, tls);
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
    };
    const settle = (): void => {
      signal?.removeEventListener('abort', abort);
      socket.off('error', reject);
    };
    socket.once(readyEvent, () => {
      settle();
      resolve();
    });
    socket.once('error', (error) => {
      settle();
      reject(error);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
  socket.setNoDelay(true);
  return new Connection(socket);
}

async function createSocket(
  endpoint: Endpoint,
  tls: TlsOptions | undefined,
): Promise<{ socket: Socket; readyEvent: string }> {
  if (endpoint.kind === 'unix') {
    return { socket: connectPlain({ path: endpoint.path, allowHalfOpen: true }), readyEvent: 'connect' };
  }
  const { host, port } = endpoint;
  if (!tls) return { socket: connectPlain({ host, port, allowHalfOpen: true }), readyEvent: 'connect' };
  const { connect } = await import('node:tls');
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    host,
    port,
    allowHalfOpen: true,
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    rejectUnauthorized: !tls.skipVerify,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
  const socket = connect(options);
  return { socket, readyEvent: 'secureConnect' };
}
