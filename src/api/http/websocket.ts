import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { EngineError } from '#errors';
import type { AttachStreams } from '../routes/containers/backend.ts';
import type { RawExchange } from './raw-exchange.ts';

/** Longest message of a client; what is typed or pasted is far shorter. */
const maxMessageBytes = 16 * 1024 * 1024;
const normalClosure = 1000;

/** An attached websocket: outputs are not framed, since websockets have messages of their own. */
export interface AttachedWebsocket {
  streams: AttachStreams;
  /** Sends everything written, then closes. */
  finish(): Promise<void>;
}

const handshakes = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: maxMessageBytes,
});

class WebsocketInput extends Readable {
  readonly #websocket: WebSocket;

  constructor(websocket: WebSocket) {
    super();
    this.#websocket = websocket;
    websocket.on('message', (data) => {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
      if (!this.destroyed && !this.push(bytes)) websocket.pause();
    });
    websocket.on('close', () => {
      if (!this.destroyed) this.push(null);
    });
  }

  override _read(): void {
    this.#websocket.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#websocket.resume();
    done(error);
  }
}

class WebsocketOutput extends Writable {
  readonly #websocket: WebSocket;
  readonly #binary: boolean;

  constructor(websocket: WebSocket, binary: boolean) {
    super();
    this.#websocket = websocket;
    this.#binary = binary;
    websocket.on('close', () => this.destroy());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Answers when the bytes were handed to the kernel: a slow client holds the writer back.
    this.#websocket.send(chunk, { binary: this.#binary }, done);
  }
}

function handshake(exchange: RawExchange): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new EngineError('invalidArgument', 'BAD_HANDSHAKE', 'websocket handshake failed'));
    exchange.socket.once('close', gone);
    handshakes.handleUpgrade(exchange.request, exchange.socket, Buffer.alloc(0), (websocket) => {
      exchange.socket.off('close', gone);
      resolve(websocket);
    });
  });
}

/**
 * Completes the handshake. Outputs are sent in binary messages since API 1.28, in text messages before.
 *
 * @throws {@link EngineError} invalidArgument when the handshake fails; the client was answered then.
 */
export async function acceptWebsocket(
  exchange: RawExchange,
  wanted: { stdin: boolean; stdout: boolean; stderr: boolean },
): Promise<AttachedWebsocket> {
  const websocket = await handshake(exchange);
  websocket.on('error', () => undefined);
  const outputs: WebsocketOutput[] = [];
  const output = (): WebsocketOutput => {
    const stream = new WebsocketOutput(websocket, exchange.version >= 28);
    stream.on('error', () => undefined);
    outputs.push(stream);
    return stream;
  };
  const input = new WebsocketInput(websocket);
  if (!wanted.stdin) input.destroy();
  return {
    streams: {
      stdin: wanted.stdin ? input : undefined,
      stdout: wanted.stdout ? output() : undefined,
      stderr: wanted.stderr ? output() : undefined,
      signal: exchange.signal,
    },
    async finish() {
      for (const stream of outputs) if (!stream.destroyed) stream.end();
      await Promise.allSettled(outputs.map((stream) => finished(stream)));
      if (websocket.readyState === websocket.CLOSED) return;
      websocket.close(normalClosure);
      await once(websocket, 'close');
    },
  };
}
