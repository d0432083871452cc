import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { EngineError } from '#errors';
import { type EventMessage, type ProgressLine, StdcopyDecoder, type WaitResponse } from '#spec';
import type { ContainersBackend, LogEntry, LogsOptions } from './routes/containers/backend.ts';
import type { RegistriesBackend } from './routes/registries/backend.ts';
import type { ImagesBackend } from './routes/images/backend.ts';
import type { SystemBackend } from './routes/system/backend.ts';
import { fake, serve } from './testing/serve.ts';

const head = 'HTTP/1.1\r\nHost: d\r\n\r\n';

async function* entriesOf(...entries: [LogEntry['stream'], string][]): AsyncGenerator<LogEntry> {
  for (const [stream, text] of entries) {
    yield { stream, time: 1_700_000_000_000_000_012n, data: Buffer.from(text) };
  }
}

test('wait sends its head when the waiter is armed, and the body later', async () => {
  const outcome = Promise.withResolvers<WaitResponse>();
  const conditions: string[] = [];
  const containers = fake<ContainersBackend>({
    wait: async (_ref, condition) => {
      conditions.push(condition);
      return { result: outcome.promise };
    },
  });
  await using server = await serve({ containers });
  const client = await server.dial();
  client.socket.write(`POST /containers/c/wait?condition=next-exit ${head}`);
  const first = await client.until((text) => text.includes('\r\n\r\n'));
  assert.match(first, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(first, /Content-Type: application\/json\r\n/);
  assert.equal(client.body.length, 0);
  outcome.resolve({ StatusCode: 7 });
  await client.until((text) => text.includes('{"StatusCode":7}\n'));
  assert.equal((await server.ask('POST', '/v1.29/containers/c/wait?condition=next-exit')).text, '{"StatusCode":7}\n');
  assert.deepEqual(conditions, ['next-exit', 'not-running']);
  const bad = await server.ask('POST', '/containers/c/wait?condition=later');
  assert.deepEqual([bad.status, bad.text], [400, '{"message":"invalid condition: \\"later\\""}\n']);
});

test('wait reports a failure in its body, and aborts when the client goes', async () => {
  const failing = fake<ContainersBackend>({
    wait: async () => ({ result: Promise.reject(new EngineError('internal', 'X', 'removal failed')) }),
  });
  await using server = await serve({ containers: failing });
  const answer = await server.ask('POST', '/containers/c/wait');
  assert.deepEqual(JSON.parse(answer.text), { StatusCode: -1, Error: { Message: 'removal failed' } });

  for (const leave of ['end', 'destroy'] as const) {
    const gone = Promise.withResolvers<void>();
    const containers = fake<ContainersBackend>({
      wait: async (_ref, _condition, signal) => {
        signal.addEventListener('abort', () => gone.resolve());
        // As the engine does: nothing more is heard of an aborted wait.
        return { result: new Promise(() => undefined) };
      },
    });
    await using waiting = await serve({ containers });
    const client = await waiting.dial();
    client.socket.write(`POST /containers/c/wait ${head}`);
    await client.until((text) => text.includes('\r\n\r\n'));
    client.socket[leave]();
    await gone.promise;
    await waiting.api.close(60_000);
  }
});

test('logs are framed, with times of fixed width', async () => {
  const given: LogsOptions[] = [];
  const containers = fake<ContainersBackend>({
    logs: async (ref, options) => {
      given.push(options);
      return { tty: ref === 'tty', entries: entriesOf(['stdout', 'a\n'], ['stderr', 'b\n']) };
    },
  });
  await using server = await serve({ containers });
  const client = await server.dial();
  client.socket.end(
    `GET /containers/c/logs?stdout=1&stderr=1&timestamps=1&tail=5&since=1.5 HTTP/1.0\r\nHost: d\r\nConnection: close\r\n\r\n`,
  );
  assert.match(await client.untilEnd(), /Content-Type: application\/vnd\.docker\.multiplexed-stream\r\n/);
  const lines = [...new StdcopyDecoder().decode(client.body)].map(({ stream, data }) => [stream, data.toString()]);
  assert.deepEqual(lines, [
    ['stdout', '2023-11-14T22:13:20.000000012Z a\n'],
    ['stderr', '2023-11-14T22:13:20.000000012Z b\n'],
  ]);
  assert.equal(given[0]?.tail, 5);
  assert.equal(given[0]?.since, 1_500_000_000n);

  const tty = await server.ask('GET', '/containers/tty/logs?stdout=1&tail=all&details=1');
  assert.equal(tty.text, ' a\n');
  assert.equal(tty.headers['content-type'], 'application/vnd.docker.raw-stream');
  assert.equal(given[1]?.tail, undefined);
  const old = await server.ask('GET', '/v1.41/containers/c/logs?stderr=1');
  assert.equal(old.headers['content-type'], 'application/vnd.docker.raw-stream');
});

test('logs want a stream and a container', async () => {
  const containers = fake<ContainersBackend>({
    logs: () => Promise.reject(new EngineError('notFound', 'X', 'No such container: c')),
  });
  await using server = await serve({ containers });
  const none = await server.ask('GET', '/containers/c/logs');
  assert.equal(none.status, 400);
  assert.deepEqual(JSON.parse(none.text), { message: 'Bad parameters: you must choose at least one stream' });
  assert.equal((await server.ask('GET', '/containers/c/logs?stdout=1')).status, 404);
});

test('a followed log stops when the client goes', async () => {
  const closed = Promise.withResolvers<void>();
  async function* follow(signal: AbortSignal): AsyncGenerator<LogEntry> {
    try {
      yield* entriesOf(['stdout', 'first']);
      await once(signal, 'abort');
    } finally {
      closed.resolve();
    }
  }
  const containers = fake<ContainersBackend>({
    logs: async (_ref, { signal }) => ({ tty: true, entries: follow(signal) }),
  });
  await using server = await serve({ containers });
  const client = await server.dial();
  client.socket.write(`GET /containers/c/logs?stdout=1&follow=1 ${head}`);
  await client.until((text) => text.includes('first'));
  client.socket.destroy();
  await closed.promise;
});

test('events are written with every digit of their time, each when it comes', async () => {
  const gate = Promise.withResolvers<void>();
  async function* two(): AsyncGenerator<EventMessage> {
    const event: EventMessage = {
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'c', Attributes: {} },
      scope: 'local',
      time: 1_700_000_000,
      timeNano: 1_700_000_000_123_456_789n,
    };
    yield event;
    await gate.promise;
    yield { ...event, Action: 'die' };
  }
  const system = fake<SystemBackend>({ events: () => two() });
  await using server = await serve({ system });
  const client = await server.dial();
  client.socket.write(`GET /events ${head}`);
  const first = await client.until((text) => text.includes('"timeNano":1700000000123456789}\n'));
  assert.match(first, /\{"status":"start","id":"c","from":"","Type":"container","Action":"start"/);
  gate.resolve();
  await client.until((text) => text.includes('"die"'));
  const bad = await server.ask('GET', '/events?since=10&until=5');
  assert.deepEqual(JSON.parse(bad.text), { message: '`since` time (10) cannot be after `until` time (5)' });
});

test('progress fails as a status before the first line and as a line after it', async () => {
  const failure = new EngineError('notFound', 'X', 'no such image');
  let lines: ProgressLine[] = [];
  async function* progress(): AsyncGenerator<ProgressLine> {
    yield* lines;
    throw failure;
  }
  const registries = fake<RegistriesBackend>({ pull: () => progress() });
  await using server = await serve({ images: fake<ImagesBackend>({}), registries });
  const early = await server.ask('POST', '/images/create?fromImage=a');
  assert.deepEqual([early.status, early.text], [404, '{"message":"no such image"}\n']);
  lines = [{ status: 'Pulling <b>', id: 'x', progressDetail: {} }];
  const late = await server.ask('POST', '/images/create?fromImage=a');
  assert.equal(late.status, 200);
  assert.equal(
    late.text,
    '{"status":"Pulling \\u003cb\\u003e","id":"x","progressDetail":{}}\r\n{"errorDetail":{"message":"no such image"},"error":"no such image"}\r\n',
  );
});

test('load reads the body as it comes and aborts when the client goes', async () => {
  const seen: string[] = [];
  const aborted = Promise.withResolvers<void>();
  const images = fake<ImagesBackend>({
    async *load(body, { quiet, signal }) {
      assert.equal(quiet, true);
      signal.addEventListener('abort', () => aborted.resolve());
      for await (const chunk of body) {
        seen.push(String(chunk));
        yield { stream: `got ${String(chunk)}` };
      }
    },
  });
  await using server = await serve({ images });
  const whole = await server.ask('POST', '/images/load', {
    body: 'tar',
    headers: { 'Content-Type': 'application/x-tar' },
  });
  assert.equal(whole.text, '{"stream":"got tar"}\r\n');
  const client = await server.dial();
  client.socket.write('POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n');
  await client.until((text) => text.includes('got part'));
  client.socket.destroy();
  await aborted.promise;
  assert.deepEqual(seen, ['tar', 'part']);
});

test('a failure before the whole body was read reaches clients that send first and read later', async () => {
  const half = 10 * 1024 * 1024;
  const images = fake<ImagesBackend>({
    async *load(body) {
      let size = 0;
      for await (const chunk of body) {
        size += Buffer.isBuffer(chunk) ? chunk.length : 0;
        if (size > half) break;
      }
      yield* [];
      throw new EngineError('invalidArgument', 'X', 'not an archive');
    },
    import: ({ body }) => {
      body.destroy();
      throw new EngineError('invalidArgument', 'X', 'not a tar');
    },
  });
  await using server = await serve({ images, containers: fake<ContainersBackend>({}) });
  const body = 'x'.repeat(2 * half);
  const expected = {
    '/images/load': 'not an archive',
    '/images/create?fromSrc=-': 'not a tar',
    '/containers/create': 'request body is larger than 16777216 bytes',
    '/build': 'POST /build is not implemented yet',
    '/nowhere': 'page not found',
  };
  for (const [path, message] of Object.entries(expected)) {
    const client = await server.dial();
    client.socket.pause();
    const head = `POST ${path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    client.socket.write(head);
    await new Promise<void>((resolve, reject) => {
      client.socket.write(body, (error) => (error ? reject(error) : resolve()));
    });
    client.socket.resume();
    await client.until((text) => text.endsWith(`{"message":"${message}"}\n`));
    // The connection is fit for the next request.
    client.received = Buffer.alloc(0);
    client.socket.write('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
    await client.until((text) => text.endsWith('\r\n\r\nOK'));
    client.socket.destroy();
  }
});

test('a tar that breaks off is cut, not ended', async () => {
  const images = fake<ImagesBackend>({
    save: async () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('half');
          await new Promise(setImmediate);
          throw new Error('disk gone');
        })(),
      ),
  });
  await using server = await serve({ images });
  const client = await server.dial();
  client.socket.write(`GET /images/get?names=a ${head}`);
  const text = await client.untilEnd();
  assert.match(text, /4\r\nhalf\r\n$/);
  assert.equal(server.log.length, 1);
});

test('stats answer once or line by line', async () => {
  const asked: unknown[] = [];
  const containers = fake<ContainersBackend>({
    async *stats(_ref, { stream, oneShot }) {
      asked.push([stream, oneShot]);
      yield { n: 1 };
      if (stream) yield { n: 2 };
    },
  });
  await using server = await serve({ containers });
  assert.equal((await server.ask('GET', '/containers/c/stats')).text, '{"n":1}\n{"n":2}\n');
  assert.equal((await server.ask('GET', '/containers/c/stats?stream=0&one-shot=1')).text, '{"n":1}\n');
  await server.ask('GET', '/v1.40/containers/c/stats?stream=0&one-shot=1');
  assert.deepEqual(asked, [
    [true, false],
    [false, true],
    [false, false],
  ]);
});
