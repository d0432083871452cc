import { createServer, type Server } from 'node:http';

/** A request as it came in. */
export interface RecordedRequest {
  method: string;
  /** With the version prefix and the query. */
  url: string;
  /** Decoded JSON, undefined without a body. */
  body: unknown;
}

/** Answers a client well enough to create a container, and remembers what it was asked. */
export interface RecordingDaemon extends AsyncDisposable {
  readonly requests: RecordedRequest[];
}

/** Listens on a unix socket; `apiVersion` is what `_ping` says. */
export async function startRecordingDaemon(socketPath: string, apiVersion = '1.51'): Promise<RecordingDaemon> {
  const requests: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      requests.push({
        method: request.method ?? '',
        url: request.url ?? '',
        body: text === '' ? undefined : JSON.parse(text),
      });
      response.setHeader('api-version', apiVersion);
      response.setHeader('ostype', 'linux');
      if (request.url?.includes('/containers/create') === true) {
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ Id: 'f'.repeat(64), Warnings: [] }));
      } else {
        response.end('OK');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return { requests, [Symbol.asyncDispose]: () => closeServer(server) };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
