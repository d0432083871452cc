import type { IncomingHttpHeaders } from 'node:http';
import { EngineError } from '#errors';

/** Largest JSON body read; Docker's biggest real ones (a create request with its labels) stay under a megabyte. */
export const jsonBodyLimitBytes: number = 16 * 1024 * 1024;

/** A request's body, whoever reads it off the connection. */
export interface BodySource {
  readonly headers: IncomingHttpHeaders;
  /** The whole body. @throws invalidArgument when it is longer than `limitBytes`. */
  readBody(limitBytes: number): Promise<Buffer>;
}

export function bodyTooLarge(limitBytes: number): EngineError {
  return new EngineError('invalidArgument', 'BODY_TOO_LARGE', `request body is larger than ${limitBytes} bytes`);
}

/** Whether the head of the request announces a body that may have bytes. */
export function announcesBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function invalidJson(message: string): EngineError {
  return new EngineError('invalidArgument', 'INVALID_JSON', message);
}

const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;.*)?$/;

/** @throws invalidArgument unless the body is labelled as JSON, or there is neither body nor label. */
function requireJsonType(headers: IncomingHttpHeaders): void {
  const type = headers['content-type'] ?? '';
  if (type === '' && !announcesBody(headers)) return;
  if (!mediaType.test(type)) throw invalidJson(`malformed Content-Type header (${type}): mime: no media type`);
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw invalidJson(`unsupported Content-Type header (${type}): must be 'application/json'`);
  }
}

function parseJson(text: string): unknown {
  if (text.trim() === '') throw invalidJson('invalid JSON: got EOF while reading request body');
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (why.startsWith('Unexpected non-whitespace character after JSON')) {
      throw invalidJson('unexpected content after JSON');
    }
    throw invalidJson(`invalid JSON: ${why === 'Unexpected end of JSON input' ? 'unexpected EOF' : why}`);
  }
}

/**
 * The body as a JSON value.
 *
 * @returns undefined when the request has no body at all.
 * @throws invalidArgument in Docker's words when it is no JSON or not labelled so.
 */
export async function readJsonBody(source: BodySource): Promise<unknown> {
  requireJsonType(source.headers);
  if (!announcesBody(source.headers)) return undefined;
  return parseJson((await source.readBody(jsonBodyLimitBytes)).toString('utf8'));
}
