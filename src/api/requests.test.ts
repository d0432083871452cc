import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerId } from '#spec';
import type { ContainersBackend } from './routes/containers/backend.ts';
import type { ImagesBackend } from './routes/images/backend.ts';
import { fake, serve } from './testing/serve.ts';

/* oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any text serves as ID here */
const id = 'c0ffee' as ContainerId;

test('create decodes, adds warnings and answers 201', async () => {
  const calls: unknown[] = [];
  const containers = fake<ContainersBackend>({
    create: async (request, options) => {
      calls.push([request.config.Image, request.hostConfig.NetworkMode, options]);
      return { Id: id, Warnings: ['careful'] };
    },
  });
  await using server = await serve({ containers });
  const answer = await server.ask('POST', '/v1.51/containers/create?name=web&platform=linux/amd64', {
    body: { Image: 'busybox', MacAddress: '02:00:00:00:00:01' },
  });
  assert.equal(answer.status, 201);
  assert.deepEqual(JSON.parse(answer.text), {
    Id: 'c0ffee',
    Warnings: [
      'careful',
      'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
    ],
  });
  await server.ask('POST', '/v1.40/containers/create?platform=linux/arm64', { body: { Image: 'busybox' } });
  assert.deepEqual(calls, [
    ['busybox', 'bridge', { name: 'web', platform: 'linux/amd64' }],
    ['busybox', 'bridge', { name: '', platform: '' }],
  ]);
});

test('bodies are checked as Docker checks them', async () => {
  const containers = fake<ContainersBackend>({
    create: async () => ({ Id: id, Warnings: [] }),
    start: async () => undefined,
  });
  await using server = await serve({ containers });
  const create = async (body: string | undefined, type = 'application/json'): Promise<[number, string]> => {
    const headers: Record<string, string> = type === '' ? {} : { 'Content-Type': type };
    const { status, text } = await server.ask('POST', '/containers/create', { body, headers });
    return [status, status < 400 ? '' : String(Object.values(JSON.parse(text))[0])];
  };
  assert.deepEqual(await create('{"Image":"x"}', 'application/json; charset=utf-8'), [201, '']);
  assert.deepEqual(await create('{"Image":"x"}', 'text/plain'), [
    400,
    "unsupported Content-Type header (text/plain): must be 'application/json'",
  ]);
  assert.deepEqual(await create('{"Image":"x"}', 'json'), [
    400,
    'malformed Content-Type header (json): mime: no media type',
  ]);
  assert.deepEqual(await create(undefined, ''), [400, 'invalid JSON: got EOF while reading request body']);
  assert.deepEqual(await create('{"Image":'), [400, 'invalid JSON: unexpected EOF']);
  assert.deepEqual(await create('{"Image":"x"}{}'), [400, 'unexpected content after JSON']);
  const [status, text] = await create('nonsense');
  assert.equal(status, 400);
  assert.match(text, /^invalid JSON: /);
  assert.match((await create(`{"Image":"${'x'.repeat(17 * 1024 * 1024)}"}`))[1], /larger than/);

  assert.equal((await server.ask('POST', '/containers/c/start')).status, 204);
  assert.equal((await server.ask('POST', '/containers/c/start', { body: '{}' })).status, 204);
  assert.equal((await server.ask('POST', '/containers/c/start', { body: { Binds: ['/:/x'] } })).status, 400);
});

test('stop and restart pass the signal since 1.42 and the time when given', async () => {
  const calls: unknown[] = [];
  const containers = fake<ContainersBackend>({ stop: async (_ref, options) => void calls.push(options) });
  await using server = await serve({ containers });
  for (const url of ['/v1.42/containers/c/stop?signal=HUP&t=-1', '/v1.41/containers/c/stop?signal=HUP']) {
    assert.equal((await server.ask('POST', url)).status, 204);
  }
  assert.deepEqual(calls, [
    { signal: 'HUP', timeoutSeconds: -1 },
    { signal: '', timeoutSeconds: undefined },
  ]);
  const bad = await server.ask('POST', '/containers/c/stop?t=soon');
  assert.deepEqual(JSON.parse(bad.text), { message: 'strconv.Atoi: parsing "soon": invalid syntax' });
  assert.equal((await server.ask('POST', '/containers/c/resize?h=10')).status, 400);
});

test('list takes the old parameters as filters', async () => {
  const calls: unknown[] = [];
  const containers = fake<ContainersBackend>({
    list: async ({ filters, ...options }) => {
      calls.push({ ...options, filters: Object.fromEntries(filters) });
      return [];
    },
  });
  const images = fake<ImagesBackend>({
    list: async ({ filters, sharedSize }) => {
      calls.push([sharedSize, Object.fromEntries(filters)]);
      return [];
    },
  });
  await using server = await serve({ containers, images });
  const url = `/containers/json?all=1&limit=3&since=x&filters=${encodeURIComponent('{"status":{"exited":true}}')}`;
  assert.equal((await server.ask('GET', url)).text, '[]\n');
  await server.ask('GET', '/v1.24/images/json?filter=busy*&shared-size=1');
  await server.ask('GET', '/v1.42/images/json?filter=busy*&shared-size=1');
  assert.deepEqual(calls, [
    { all: true, limit: 3, size: false, filters: { status: ['exited'], since: ['x'] } },
    [false, { reference: ['busy*'] }],
    [true, {}],
  ]);
  assert.equal((await server.ask('GET', '/containers/json?filters=x')).status, 400);
  assert.equal((await server.ask('GET', '/containers/json?all=%zz')).status, 400);
  assert.equal((await server.ask('GET', '/containers/%zz/json')).status, 400);
});

test('platforms of image routes are JSON', async () => {
  const seen: string[] = [];
  const images = fake<ImagesBackend>({
    history: async (_ref, { platform }) => {
      seen.push(platform);
      return [];
    },
  });
  await using server = await serve({ images });
  const ask = (platform: string, version = 'v1.51'): Promise<{ status: number; text: string }> =>
    server.ask('GET', `/${version}/images/a/history?platform=${encodeURIComponent(platform)}`);
  await ask('{"os":"linux","architecture":"arm","variant":"v7"}');
  await ask('{"os":"linux","architecture":"arm"}', 'v1.47');
  assert.deepEqual(seen, ['linux/arm/v7', '']);
  assert.match((await ask('{"os":"linux"}')).text, /both OS and Architecture must be provided/);
  assert.match((await ask('linux/arm')).text, /failed to parse platform/);
});

test('requests that others may read differently are refused', async () => {
  const containers = fake<ContainersBackend>({ pause: async () => undefined });
  await using server = await serve({ containers });
  const pause = 'POST /containers/c/pause HTTP/1.1\r\n';
  const hostile = {
    'length and encoding': `${pause}Host: d\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'two lengths': `${pause}Host: d\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello`,
    'list of lengths': `${pause}Host: d\r\nContent-Length: 0, 5\r\n\r\n`,
    'signed length': `${pause}Host: d\r\nContent-Length: +0\r\n\r\n`,
    'two hosts': `${pause}Host: d\r\nHost: e\r\n\r\n`,
    'no host': `${pause}\r\n`,
    'blank before colon': `${pause}Host: d\r\nContent-Length : 5\r\n\r\nhello`,
    'folded header': `${pause}Host: d\r\nX: a\r\n b: c\r\n\r\n`,
    'bare line feeds': 'POST /containers/c/pause HTTP/1.1\nHost: d\n\n',
    'chunked twice': `${pause}Host: d\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'other encoding': `${pause}Host: d\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    'encoding unknown': `${pause}Host: d\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    const client = await server.dial();
    client.socket.end(bytes);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 (400|501) /, what);
  }
  const attach = await server.dial();
  attach.socket.end(
    'POST /exec/c/start HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  assert.match(await attach.untilEnd(), /^HTTP\/1\.1 400 /);
});

test('a client that half-closes after its request gets its answer', async () => {
  await using server = await serve({});
  const client = await server.dial();
  client.socket.end('GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n');
  assert.match(await client.untilEnd(), /\r\n\r\nOK$/);
  const proxied = await server.dial();
  proxied.socket.end('GET http://docker/v1.30/_ping HTTP/1.1\r\nHost: d\r\n\r\n');
  assert.match(await proxied.untilEnd(), /\r\n\r\nOK$/);
});
