import { readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '#errors';
import type { PluginAddress } from './discovery.ts';

const mimeType = 'application/vnd.docker.plugins.v1.2+json';
/** More than any list of volumes; what sends more than this is broken. */
const maxAnswerBytes = 64 * 1024 * 1024;

export interface CallOptions {
  timeoutMs: number;
  /** How long to go on trying when nobody answers the door; 0: once. A plugin may be restarting. */
  patienceMs: number;
}

/** Calls of Docker's plugin protocol: a POST of JSON per method. */
export class PluginClient {
  readonly #address: PluginAddress;

  constructor(address: PluginAddress) {
    this.#address = address;
  }

  /**
   * @throws internal with the plugin's own text when it refuses; unavailable when it cannot be reached or is too slow.
   */
  async call(method: string, body: object | undefined, options: CallOptions): Promise<Record<string, unknown>> {
    const startedMs = performance.now();
    for (let delayMs = 1000; ; delayMs *= 2) {
      try {
        return this.#decode(method, await this.#post(method, body, options.timeoutMs));
      } catch (error) {
        if (error instanceof EngineError) throw error;
        if (performance.now() - startedMs + delayMs >= options.patienceMs) throw this.#unreachable(method, error);
        await sleep(delayMs);
      }
    }
  }

  async #post(method: string, body: object | undefined, timeoutMs: number): Promise<{ status: number; text: string }> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const request = this.#request({
      method: 'POST',
      path: `/${method}`,
      headers: { Accept: mimeType, 'Content-Length': Buffer.byteLength(text) },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve);
      request.on('error', reject);
    });
    request.end(text);
    return await readAnswer(method, await response);
  }

  #request(options: RequestOptions): ClientRequest {
    const { url, tls } = this.#address;
    if (url.startsWith('unix://')) {
      return httpRequest({ ...options, socketPath: url.slice('unix://'.length), host: 'plugin.moby.localhost' });
    }
    const { hostname, port, protocol } = new URL(url.replace(/^tcp:/, 'http:'));
    const where = { ...options, hostname, ...(port !== '' && { port }) };
    if (protocol !== 'https:') return httpRequest(where);
    const read = (path: string | undefined): Buffer | undefined => (path === undefined ? path : readFileSync(path));
    return httpsRequest({
      ...where,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: tls?.InsecureSkipVerify !== true,
      ca: read(tls?.CAFile),
      cert: read(tls?.CertFile),
      key: read(tls?.KeyFile),
    });
  }

  #decode(method: string, { status, text }: { status: number; text: string }): Record<string, unknown> {
    const answer = parseObject(text);
    const refusal = typeof answer?.['Err'] === 'string' ? answer['Err'] : '';
    if (status !== 200) throw failed(`${method}: ${refusal === '' ? text.trim() : refusal}`);
    if (!answer) throw failed(`${method}: the plugin's answer is no JSON object`);
    if (refusal !== '') throw failed(refusal);
    return answer;
  }

  #unreachable(method: string, cause: unknown): EngineError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new EngineError('unavailable', 'PLUGIN_UNREACHABLE', `Post "${this.#address.url}/${method}": ${reason}`, {
      cause,
    });
  }
}

async function readAnswer(method: string, response: IncomingMessage): Promise<{ status: number; text: string }> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    total += chunk.length;
    if (total > maxAnswerBytes) {
      response.destroy();
      throw failed(`${method}: the plugin's answer is larger than ${maxAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function failed(message: string): EngineError {
  return new EngineError('internal', 'PLUGIN_FAILED', message);
}
