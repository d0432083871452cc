import { Connection } from './connection.ts';
import { ProtocolError } from './errors.ts';

/** The part of Bun's own socket that is used here. */
interface BunSocket {
  /** Returns how many bytes were taken, or -1 when the socket is closed. */
  write(chunk: Uint8Array): number;
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  ref(): void;
  unref(): void;
}

interface BunRuntime {
  connect(options: {
    unix: string;
    allowHalfOpen: boolean;
    socket: {
      data(socket: BunSocket, chunk: Uint8Array): void;
      drain(socket: BunSocket): void;
      end(socket: BunSocket): void;
      close(socket: BunSocket, error?: Error): void;
      error(socket: BunSocket, error: Error): void;
    };
  }): Promise<BunSocket>;
}

function bunRuntime(): BunRuntime | undefined {
  /* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Bun's global has no types under Node */
  return (globalThis as { Bun?: BunRuntime }).Bun;
}

/** Whether {@link openBunConnection} can be used. */
export function isBun(): boolean {
  return bunRuntime() !== undefined;
}

/**
 * A connection over Bun's own unix socket. Loading `node:net` takes the compiled CLI longer than all else that a short
 * command does.
 */
class BunConnection extends Connection {
  #socket: BunSocket | undefined;
  #unsent: Uint8Array[] = [];
  #waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #closed = false;

  readonly handlers = {
    data: (_socket: BunSocket, chunk: Uint8Array): void => this.received(Buffer.from(chunk)),
    drain: (): void => this.#flush(),
    end: (): void => this.finished(),
    close: (_socket: BunSocket, error?: Error): void => this.#lost(error),
    error: (_socket: BunSocket, error: Error): void => this.#lost(error),
  };

  attach(socket: BunSocket): void {
    this.#socket = socket;
  }

  override send(chunk: Uint8Array | string): boolean {
    this.#unsent.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    this.#flush();
    return this.#unsent.length === 0;
  }

  override closeWrite(): void {
    this.#socket?.shutdown();
  }

  override destroy(): void {
    if (!this.#closed) this.#socket?.terminate();
    this.#lost();
  }

  override keepAlive(wanted: boolean): void {
    if (wanted) this.#socket?.ref();
    else this.#socket?.unref();
  }

  protected override pause(): void {
    this.#socket?.pause();
  }

  protected override resume(): void {
    this.#socket?.resume();
  }

  protected override async drained(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  #flush(): void {
    while (!this.#closed) {
      const chunk = this.#unsent[0];
      if (!chunk) break;
      const taken = Math.max(0, this.#socket?.write(chunk) ?? 0);
      if (taken < chunk.length) {
        this.#unsent[0] = chunk.subarray(taken);
        return;
      }
      this.#unsent.shift();
    }
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #lost(error?: Error): void {
    this.#closed = true;
    this.finished(error);
    for (const { reject } of this.#waiters.splice(0)) {
      reject(error ?? new ProtocolError('connection closed while writing'));
    }
  }
}

/** Connects to a unix socket; rejects with the system's error. The caller destroys the connection. */
export async function openBunConnection(path: string): Promise<Connection> {
  const bun = bunRuntime();
  if (!bun) throw new Error('this is not Bun');
  const connection = new BunConnection();
  connection.attach(await bun.connect({ unix: path, allowHalfOpen: true, socket: connection.handlers }));
  return connection;
}
