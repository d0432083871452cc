import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliIo } from '../io.ts';
import { runCli } from '../run-cli.ts';

/** A canned answer: a status with a body, or a function that answers itself. */
export type Answer =
  | {
      readonly status?: number;
      readonly json?: unknown;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  | ((request: IncomingMessage, response: ServerResponse) => void);

/** A request the daemon got, without the version prefix. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP server on a unix socket with canned answers, keyed `GET /containers/json`. What has none gets a 404. */
export class FakeDaemon implements AsyncDisposable {
  readonly host: string;
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #dir: string;

  private constructor(server: Server, dir: string) {
    this.#server = server;
    this.#dir = dir;
    this.host = `unix://${join(dir, 'd.sock')}`;
  }

  /** @param apiVersion - The newest version the daemon speaks; later ones are refused as Docker does. */
  static async start(answers: Readonly<Record<string, Answer>>, apiVersion = '1.51'): Promise<FakeDaemon> {
    const dir = mkdtempSync(join(tmpdir(), 'berth-cli-'));
    const server = createServer();
    const daemon = new FakeDaemon(server, dir);
    server.on('request', (request, response) => {
      void daemon.#answer(answers, apiVersion, request, response);
    });
    await new Promise<void>((resolve) => {
      server.listen(join(dir, 'd.sock'), resolve);
    });
    return daemon;
  }

  async #answer(
    answers: Readonly<Record<string, Answer>>,
    apiVersion: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://daemon');
    const [, version, path = ''] = /^(?:\/v([\d.]+))?(\/.*)$/.exec(url.pathname) ?? [];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks).toString('utf8');
    response.setHeader('Api-Version', apiVersion);
    if (version !== undefined && Number(version.split('.')[1]) > Number(apiVersion.split('.')[1])) {
      response.writeHead(400).end(JSON.stringify({ message: `client version ${version} is too new` }));
      return;
    }
    const { method = '', headers } = request;
    this.seen.push({ method, path, query: Object.fromEntries(url.searchParams), headers, body });
    const answer = answers[`${method} ${decodeURIComponent(path)}`];
    if (typeof answer === 'function') return answer(request, response);
    const missing = { message: `No such thing: ${path}` };
    const {
      status = 200,
      json,
      body: text = JSON.stringify(json),
      headers: extra = {},
    } = answer ?? {
      status: 404,
      json: missing,
    };
    response.writeHead(status, { 'Content-Type': 'application/json', ...extra }).end(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export interface CliOutcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the CLI in this process against `host`, without terminals, as `docker` unless told. */
export async function runWith(
  host: string,
  argv: readonly string[],
  options: { program?: string; configDir?: string; terminal?: boolean } = {},
): Promise<CliOutcome> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const io: CliIo = {
    out: (chunk) => void out.push(Buffer.from(chunk)),
    err: (chunk) => void err.push(Buffer.from(chunk)),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    isTerminal: () => options.terminal ?? false,
    columns: () => 80,
  };
  const code = await runCli({
    program: options.program ?? 'docker',
    argv,
    env: { DOCKER_HOST: host, DOCKER_CONFIG: options.configDir ?? '/nonexistent' },
    io,
  });
  return { code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') };
}
