import { decodeExecCreate, decodeExecStart } from '../../decode/requests.ts';
import { readJsonBody } from '../../http/body.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { RawExchange } from '../../http/raw-exchange.ts';
import { describeFailure } from '../../http/status.ts';
import { answer, raw, type Route, type RouteDoc } from '../../route.ts';
import { idOf } from '../containers/lifecycle.ts';
import type { ExecBackend } from './backend.ts';

async function create(backend: ExecBackend, exchange: Exchange): Promise<void> {
  const request = decodeExecCreate(await readJsonBody(exchange));
  // `ConsoleSize` came with 1.42.
  if (exchange.version < 42) delete request.ConsoleSize;
  exchange.json(201, await backend.create(idOf(exchange), request));
}

async function start(backend: ExecBackend, exchange: RawExchange): Promise<void> {
  const { Detach, Tty, ConsoleSize } = decodeExecStart(await readJsonBody(exchange));
  // Without terminal the size means nothing, and before 1.42 it was not there.
  const consoleSize = Tty && exchange.version >= 42 ? ConsoleSize : undefined;
  const process = await backend.start(idOf(exchange), { detach: Detach, tty: Tty, consoleSize });
  if (Detach) {
    exchange.reply(200, 'text/plain; charset=utf-8', '');
    return;
  }
  const streams = exchange.begin({ tty: process.tty, stdin: true, stdout: true, stderr: true });
  try {
    await process.run(streams);
  } catch (error) {
    if (!exchange.signal.aborted) streams.stdout?.write(`${describeFailure(error).message}\r\n`);
  }
  await exchange.finish();
}

async function resize(backend: ExecBackend, exchange: Exchange): Promise<void> {
  const height = exchange.query.uint32('h', 'resize height');
  const width = exchange.query.uint32('w', 'resize width');
  await backend.resize(idOf(exchange), { height, width });
  exchange.empty(200);
}

function doc(summary: string, statuses: readonly number[], rest: Partial<RouteDoc> = {}): RouteDoc {
  return { tag: 'Exec', summary, statuses, ...rest };
}

/** Rows of the exec routes. */
export function execRoutes(backend: ExecBackend): Route[] {
  return [
    answer(
      'POST',
      '/containers/{id}/exec',
      doc('Prepare a command in a container', [201, 404, 409], { body: 'ExecCreateRequest', answer: 'IdResponse' }),
      (exchange) => create(backend, exchange),
    ),
    raw(
      'POST',
      '/exec/{id}/start',
      doc('Run a prepared command', [101, 200, 404, 409], { body: 'ExecStartRequest', answer: 'raw stream' }),
      (exchange) => start(backend, exchange),
    ),
    answer(
      'POST',
      '/exec/{id}/resize',
      doc("Resize a command's terminal", [200, 404], { query: { h: 'integer', w: 'integer' } }),
      (exchange) => resize(backend, exchange),
    ),
    answer(
      'GET',
      '/exec/{id}/json',
      doc('Inspect a command', [200, 404], { answer: 'ExecInspect' }),
      async (exchange) => exchange.json(200, await backend.inspect(idOf(exchange))),
    ),
  ];
}
