import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../auth/access.ts';

/** One request on its way to its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly access: Access;
  /** Aborts when the client goes away before its answer is complete. */
  readonly signal: AbortSignal;
}

/** Answers with JSON; a HEAD request gets its headers alone. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendBytes(response, status, Buffer.from(`${JSON.stringify(value)}\n`), {
    'Content-Type': 'application/json; charset=utf-8',
    ...headers,
  });
}

/** Answers with bytes; a HEAD request gets their length alone. */
export function sendBytes(
  response: ServerResponse,
  status: number,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string | string[]>>,
): void {
  response.writeHead(status, { 'Content-Length': String(bytes.byteLength), ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

/** Answers without a body. */
export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  response.writeHead(status, status === 204 ? headers : { 'Content-Length': '0', ...headers });
  response.end();
}

/** From now on until its answer the client waits for the disk or for another registry, and is not taken for idle. */
export function expectWaiting({ request }: Exchange): void {
  request.socket.setTimeout(0);
}
