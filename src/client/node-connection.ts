import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Connection } from './connection.ts';
import type { Endpoint, TlsOptions } from './endpoint.ts';
import { ProtocolError } from './errors.ts';

/** A connection over a socket of `node:net` or `node:tls`. */
export class NodeConnection extends Connection {
  readonly socket: Socket;
  #error: Error | undefined;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.received(chunk));
    socket.on('end', () => this.finished());
    socket.on('error', (error) => {
      this.#error = error;
      this.finished(error);
    });
    socket.on('close', () => this.finished());
  }

  override send(chunk: Uint8Array | string): boolean {
    return this.socket.write(chunk);
  }

  override closeWrite(): void {
    this.socket.end();
  }

  override destroy(): void {
    this.socket.destroy();
  }

  override keepAlive(wanted: boolean): void {
    if (wanted) this.socket.ref();
    else this.socket.unref();
  }

  protected override pause(): void {
    this.socket.pause();
  }

  protected override resume(): void {
    this.socket.resume();
  }

  protected override async drained(): Promise<void> {
    const { socket } = this;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        socket.off('close', failed);
        resolve();
      };
      const failed = (): void => {
        socket.off('drain', done);
        reject(this.#error ?? new ProtocolError('connection closed while writing'));
      };
      socket.once('drain', done);
      socket.once('close', failed);
      if (socket.destroyed) socket.emit('close');
    });
  }
}

/** Connects; rejects with the system's error, or the signal's reason. The caller destroys the connection. */
export async function openNodeConnection(
  endpoint: Endpoint,
  tls: TlsOptions | undefined,
  signal?: AbortSignal,
): Promise<NodeConnection> {
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
  if (endpoint.kind === 'tcp') socket.setNoDelay(true);
  return new NodeConnection(socket);
}

async function createSocket(
  endpoint: Endpoint,
  tls: TlsOptions | undefined,
): Promise<{ socket: Socket; readyEvent: string }> {
  if (endpoint.kind === 'unix') {
    return { socket: connect({ path: endpoint.path, allowHalfOpen: true }), readyEvent: 'connect' };
  }
  const { host, port } = endpoint;
  if (!tls) return { socket: connect({ host, port, allowHalfOpen: true }), readyEvent: 'connect' };
  const { connect: connectTls } = await import('node:tls');
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
  return { socket: connectTls(options), readyEvent: 'secureConnect' };
}
