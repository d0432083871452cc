import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApiClient, ApiError, ConnectionError, demultiplex, encodeFilters, jsonLines } from './index.ts';
import { parseEndpoint } from './endpoint.ts';

/** A daemon of raw bytes: `serve` gets each connection, `request` resolves with the next whole request head and body. */
async function withServer(
  serve: (socket: Socket, index: number) => void,
  work: (client: ApiClient, host: string) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'berth-client-'));
  const path = join(dir, 's');
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket, sockets.push(socket) - 1);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  const client = new ApiClient({ host: `unix://${path}` });
  try {
    await work(client, `unix://${path}`);
  } finally {
    client.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(dir, { recursive: true });
  }
}

/** Answers every request head seen on a connection with the next text, one byte a write when asked. */
function answering(texts: readonly string[], seen: string[] = [], byteByByte = false): (socket: Socket) => void {
  const left = [...texts];
  return (socket) => {
    let buffered = '';
    socket.on('data', (chunk) => {
      buffered += chunk.toString('latin1');
      for (let end = buffered.indexOf('\r\n\r\n'); end >= 0; end = buffered.indexOf('\r\n\r\n')) {
        seen.push(buffered.slice(0, end));
        buffered = buffered.slice(end + 4);
        const text = left.shift() ?? '';
        if (byteByByte) for (const char of text) socket.write(char);
        else socket.write(text);
      }
    });
  };
}

const ok = (body: string): string =>
  `HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test('ApiClient.get reads lengths and chunks split anywhere, on one connection', async () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n{"a":\r\nA\r\n"12345678"\r\n1\r\n}\r\n0\r\nTrailer: t\r\n\r\n';
  const seen: string[] = [];
  let connections = 0;
  const serve = answering([ok('[1]'), chunked, ok('{}')], seen, true);
  await withServer(
    (socket) => {
      connections++;
      serve(socket);
    },
    async (client) => {
      assert.deepEqual(await client.get('/x', { a: 'b c', no: undefined, all: true, t: ['1', '2'] }), [1]);
      assert.deepEqual(await client.get('/y'), { a: '12345678' });
      assert.deepEqual(await client.post('/z', undefined, { json: { k: 1 } }), {});
      assert.equal(connections, 1);
      assert.match(seen[0] ?? '', /^GET \/v1\.51\/x\?a=b%20c&all=1&t=1&t=2 HTTP\/1\.1\r\n/);
      assert.match(seen[2] ?? '', /content-type: application\/json\r\ncontent-length: 7$/);
    },
  );
});

test('ApiClient repeats a request under the version of an older daemon, once', async () => {
  const tooNew = '{"message":"client version 1.51 is too new. Maximum supported API version is 1.41"}';
  const refusal = `HTTP/1.1 400 Bad Request\r\nApi-Version: 1.41\r\nContent-Length: ${tooNew.length}\r\n\r\n${tooNew}`;
  const seen: string[] = [];
  await withServer(answering([refusal, ok('[]'), ok('[]')], seen), async (client) => {
    await client.get('/containers/json');
    await client.get('/images/json');
    assert.deepEqual(
      seen.map((head) => head.split(' ')[1]),
      ['/v1.51/containers/json', '/v1.41/containers/json', '/v1.41/images/json'],
    );
    assert.equal(client.apiVersion, '1.41');
  });
});

test('ApiClient tells errors of the daemon by status and message', async () => {
  const body = '{"message":"No such container: x"}\n';
  const answer = `HTTP/1.1 404 Not Found\r\nApi-Version: 1.51\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await withServer(answering([answer]), async (client) => {
    await assert.rejects(client.get('/containers/x/json'), (error: unknown) => {
      return error instanceof ApiError && error.status === 404 && error.message === 'No such container: x';
    });
  });
});

test('ApiClient fails with a ConnectionError when nobody listens, and when the answer breaks off', async () => {
  const client = new ApiClient({ host: 'unix:///nonexistent/s' });
  await assert.rejects(client.get('/x'), ConnectionError);
  const broken = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc';
  await withServer(
    (socket) => socket.once('data', () => socket.end(broken)),
    async (other) => {
      await assert.rejects(other.get('/x'), { message: 'unexpected EOF' });
    },
  );
});

test('ApiClient.send streams a body up in chunks while the answer may come early', async () => {
  let received = '';
  await withServer(
    (socket) => {
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        if (received.includes('HEAD /_ping') && !received.includes('POST')) {
          socket.write('HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\n\r\n');
        }
        if (received.endsWith('0\r\n\r\n')) socket.write(ok('{"stream":"done"}\n{"stream":"!"}\n'));
      });
    },
    async (client) => {
      async function* source(): AsyncGenerator<Buffer> {
        yield Buffer.from('hello');
        yield Buffer.alloc(0);
        yield Buffer.from('world!');
      }
      const response = await client.send({ method: 'POST', path: '/images/load', stream: source() });
      const lines: unknown[] = [];
      for await (const line of jsonLines(response)) lines.push(line);
      assert.deepEqual(lines, [{ stream: 'done' }, { stream: '!' }]);
      assert.match(received, /POST \/v1\.45\/images\/load/);
      assert.match(received, /5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n$/);
    },
  );
});

test('ApiClient.send passes on the failure of an upload whose source cannot be read', async () => {
  await withServer(answering(['HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\n\r\n']), async (client) => {
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      throw new Error('disk gone');
    }
    await assert.rejects(client.send({ method: 'POST', path: '/images/load', stream: source() }), {
      message: 'disk gone',
    });
  });
});

test('ApiClient.hijack goes on after the head in both directions, each ending on its own', async () => {
  await withServer(
    (socket) => {
      let input = '';
      socket.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        if (text.startsWith('POST')) {
          assert.match(text, /upgrade: tcp/);
          socket.write(
            'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly;',
          );
        } else input += text;
      });
      socket.on('end', () => socket.end(`got ${input}`));
    },
    async (client) => {
      const stream = await client.hijack({ method: 'POST', path: '/containers/x/attach', query: { stream: true } });
      assert.equal(stream.mediaType, 'application/vnd.docker.raw-stream');
      await stream.write('in');
      await stream.write('put');
      stream.closeWrite();
      let output = '';
      for await (const chunk of stream) output += chunk.toString('latin1');
      assert.equal(output, 'early;got input');
      stream.destroy();
    },
  );
});

test('ApiClient gives up a request when its signal aborts', async () => {
  await withServer(
    () => undefined,
    async (client) => {
      const controller = new AbortController();
      const pending = client.get('/events', undefined, { signal: controller.signal });
      setImmediate(() => controller.abort());
      await assert.rejects(pending, { name: 'AbortError' });
    },
  );
});

test("demultiplex passes pieces on whatever way the bytes are cut, and throws the daemon's own errors", async () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(text.length, 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')]);
  async function* byteByByte(): AsyncGenerator<Uint8Array> {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const got = { stdin: '', stdout: '', stderr: '' };
  for await (const piece of demultiplex(byteByByte())) got[piece.stream] += Buffer.from(piece.bytes).toString();
  assert.deepEqual(got, { stdin: '', stdout: 'outmore', stderr: 'err' });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield frame(3, 'boom');
  }
  await assert.rejects(async () => {
    for await (const _piece of demultiplex(failing())) continue;
  }, /boom/);
});

test('parseEndpoint knows unix and tcp and refuses the rest', () => {
  assert.deepEqual(parseEndpoint('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
  assert.deepEqual(parseEndpoint('tcp://[::1]:2375/base/'), {
    kind: 'tcp',
    host: '::1',
    port: 2375,
    basePath: '/base',
  });
  assert.throws(() => parseEndpoint('ssh://me@host'), /not supported/);
  assert.throws(() => parseEndpoint('foo://x'), /invalid bind address format/);
  assert.throws(() => parseEndpoint('x'), /unable to parse docker host/);
});

test('encodeFilters writes the map form, and nothing for no filters', () => {
  assert.equal(encodeFilters({ label: ['a=b', 'c'] }), '{"label":{"a=b":true,"c":true}}');
  assert.equal(encodeFilters({}), undefined);
});
