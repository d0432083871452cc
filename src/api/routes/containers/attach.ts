import { EngineError } from '#errors';
import { acceptWebsocket } from '../../http/websocket.ts';
import type { RawExchange } from '../../http/raw-exchange.ts';
import type { AttachOptions, ContainersBackend } from './backend.ts';
import { idOf } from './lifecycle.ts';

/** Longest body that a client may send with `attach`, where nothing is read from it. */
const attachBodyLimitBytes = 64 * 1024;

function optionsOf({ query }: RawExchange): AttachOptions {
  return {
    logs: query.flag('logs'),
    stream: query.flag('stream'),
    stdin: query.flag('stdin'),
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    detachKeys: query.text('detachKeys'),
  };
}

export async function attach(backend: ContainersBackend, exchange: RawExchange): Promise<void> {
  const options = optionsOf(exchange);
  await exchange.skipBody(attachBodyLimitBytes);
  const attachment = await backend.attach(idOf(exchange), options);
  const { tty } = attachment;
  await attachment.run(exchange.begin({ tty, stdin: options.stdin, stdout: options.stdout, stderr: options.stderr }));
  await exchange.finish();
}

/** Until 1.41 the parameters were ignored and all streams attached. */
function websocketOptionsOf(exchange: RawExchange): AttachOptions {
  const options = optionsOf(exchange);
  return exchange.version >= 42 ? options : { ...options, stdin: true, stdout: true, stderr: true };
}

export async function attachWebsocket(backend: ContainersBackend, exchange: RawExchange): Promise<void> {
  if (exchange.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new EngineError('invalidArgument', 'NOT_A_WEBSOCKET', 'not a websocket handshake: missing Upgrade header');
  }
  const options = websocketOptionsOf(exchange);
  const attachment = await backend.attach(idOf(exchange), options);
  const websocket = await acceptWebsocket(exchange, options);
  await attachment.run(websocket.streams);
  await websocket.finish();
}
