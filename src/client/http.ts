import type { Connection } from './connection.ts';
import { ProtocolError } from './errors.ts';

/** The most a response's head may hold before we stop believing it. */
const maxHeadBytes = 256 * 1024;

/** An answer's status and headers (names in lower case). */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** Writes the head of an HTTP/1.1 request; values with line breaks are refused. */
export function encodeRequestHead(
  method: string,
  target: string,
  headers: Iterable<readonly [string, string]>,
): string {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of headers) {
    if (/[\r\n]/.test(value)) throw new Error(`header ${name} has a line break in its value`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** Reads one response head, passing over interim answers other than 101. */
export async function readHead(connection: Connection): Promise<ResponseHead> {
  for (;;) {
    const head = parseHead(await readUntilBlankLine(connection));
    if (head.status >= 200 || head.status === 101) return head;
  }
}

async function readUntilBlankLine(connection: Connection): Promise<string> {
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = await connection.read();
    if (!chunk) throw new ProtocolError('the daemon closed the connection without an answer');
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const end = seen.indexOf('\r\n\r\n');
    if (end >= 0) {
      connection.unread(seen.subarray(end + 4));
      return seen.toString('latin1', 0, end);
    }
    if (seen.length > maxHeadBytes) throw new ProtocolError('the answer has an endless head');
  }
}

function parseHead(text: string): ResponseHead {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1];
  if (status === undefined) throw new ProtocolError(`malformed HTTP response ${JSON.stringify(statusLine)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const cut = line.indexOf(':');
    if (cut <= 0) continue;
    const name = line.slice(0, cut).toLowerCase();
    const value = line.slice(cut + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** How the end of a body is told. */
export type BodyFraming =
  | { readonly kind: 'empty' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'untilClose' };

export function bodyFraming(method: string, head: ResponseHead): BodyFraming {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { kind: 'empty' };
  if (head.headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) return { kind: 'chunked' };
  const length = head.headers.get('content-length');
  if (length === undefined) return { kind: 'untilClose' };
  return Number(length) === 0 ? { kind: 'empty' } : { kind: 'length', bytes: Number(length) };
}

/** The body's bytes as they come. @throws {@link ProtocolError} when it ends before its framing says so. */
export async function* readBody(connection: Connection, framing: BodyFraming): AsyncGenerator<Buffer, void, void> {
  if (framing.kind === 'length') yield* readExactly(connection, framing.bytes);
  else if (framing.kind === 'chunked') yield* readChunked(connection);
  else if (framing.kind === 'untilClose') {
    for (let chunk = await connection.read(); chunk; chunk = await connection.read()) yield chunk;
  }
}

async function* readExactly(connection: Connection, bytes: number): AsyncGenerator<Buffer, void, void> {
  let left = bytes;
  while (left > 0) {
    const chunk = await connection.read();
    if (!chunk) throw new ProtocolError('unexpected EOF');
    if (chunk.length > left) connection.unread(chunk.subarray(left));
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    yield part;
  }
}

async function* readChunked(connection: Connection): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const sizeText = (await readLine(connection)).split(';')[0]?.trim() ?? '';
    if (!/^[\da-f]+$/i.test(sizeText)) throw new ProtocolError(`malformed chunk size ${JSON.stringify(sizeText)}`);
    const size = Number.parseInt(sizeText, 16);
    if (size === 0) break;
    yield* readExactly(connection, size);
    await readLine(connection);
  }
  while ((await readLine(connection)) !== '') continue;
}

async function readLine(connection: Connection): Promise<string> {
  let seen: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = await connection.read();
    if (!chunk) throw new ProtocolError('unexpected EOF');
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const end = seen.indexOf(10);
    if (end >= 0) {
      connection.unread(seen.subarray(end + 1));
      return seen.toString('latin1', 0, end).replace(/\r$/, '');
    }
    if (seen.length > maxHeadBytes) throw new ProtocolError('the answer has an endless line');
  }
}
