import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { EngineError, isKind } from '#errors';
import {
  bodyOf,
  clientFor,
  collect,
  content,
  digestOf,
  fakeServer,
  never,
  repositoryAt,
  sendError,
  sendManifest,
  type FakeServer,
  type Handler,
} from './fake-registry.ts';

interface TokenRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly authorization: string | undefined;
}

interface TokenWorld {
  readonly registry: FakeServer;
  readonly requests: TokenRequest[];
  /** Tokens that the registry takes. */
  readonly valid: Set<string>;
}

type Answer = (request: TokenRequest, response: ServerResponse, world: TokenWorld) => void;

const giveToken: Answer = ({ query, form }, response, { requests, valid }) => {
  const token = `t${requests.length}`;
  valid.add(token);
  response.end(JSON.stringify({ token, expires_in: 300, scope: query.get('scope') ?? form.get('scope') }));
};

/** A registry that wants bearer tokens, and the service that gives them, on another port. */
async function tokenWorld(t: TestContext, handler: Handler, answer: Answer = giveToken): Promise<TokenWorld> {
  const requests: TokenRequest[] = [];
  const valid = new Set<string>();
  const service = await fakeServer(t, async (request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const form = new URLSearchParams((await bodyOf(request)).toString());
    const seen = {
      method: request.method ?? '',
      query: url.searchParams,
      form,
      authorization: request.headers.authorization,
    };
    requests.push(seen);
    answer(seen, response, world);
  });
  const registry = await fakeServer(t, (request, response) => {
    if (!valid.has((request.headers.authorization ?? '').replace(/^Bearer /, ''))) {
      response.setHeader('WWW-Authenticate', `Bearer realm="http://${service.host}/token",service="the service"`);
      return sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
    }
    if (request.url === '/v2/') return void response.end('{}');
    return handler(request, response);
  });
  const world: TokenWorld = { registry, requests, valid };
  return world;
}

const manifests: Handler = (_request, response) => sendManifest(response);
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

function unauthorized(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isKind(error, 'unauthorized'), String(error));
    assert.match(error instanceof EngineError ? error.message : '', pattern);
    return true;
  };
}

void describe('bearer tokens', () => {
  void test('are asked for with scope, service and account, once for all who want one', async (t) => {
    const { registry, requests } = await tokenWorld(t, manifests);
    const credentials = { username: 'u', password: 'p' };
    const repository = repositoryAt(t, registry.host, { credentials });
    await Promise.all(Array.from({ length: 10 }, () => repository.getManifest('1', { signal: never })));
    await repository.getManifest('2', { signal: never });
    assert.equal(requests.length, 1);
    const [first] = requests;
    assert.equal(first?.query.get('scope'), 'repository:a/b:pull');
    assert.equal(first?.query.get('service'), 'the service');
    assert.equal(first?.query.get('account'), 'u');
    assert.equal(first?.authorization, basic('u', 'p'));
  });

  void test('are anonymous without credentials, and one caller who gives up does not harm the others', async (t) => {
    const asked = Promise.withResolvers<void>();
    const answerNow = Promise.withResolvers<void>();
    const { registry, requests } = await tokenWorld(t, manifests, (request, response, world) => {
      asked.resolve();
      void answerNow.promise.then(() => giveToken(request, response, world));
    });
    const repository = repositoryAt(t, registry.host);
    const impatient = new AbortController();
    const first = repository.getManifest('1', { signal: impatient.signal });
    const second = repository.getManifest('1', { signal: never });
    await asked.promise;
    impatient.abort();
    await assert.rejects(first, (error: unknown) => isKind(error, 'cancelled'));
    answerNow.resolve();
    await second;
    assert.equal(requests.length, 1);
    assert.equal(requests[0]?.authorization, undefined);
  });

  void test('that end in the middle of a pull are renewed once, and it goes on', async (t) => {
    const bytes = content(100_000);
    const world = await tokenWorld(t, (request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(start === 0 ? 200 : 206, {
        'Content-Length': bytes.length - start,
        ...(start === 0 ? {} : { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
      });
      if (start > 0) return void response.end(bytes.subarray(start));
      world.valid.clear();
      response.write(bytes.subarray(0, 50_000), () => response.destroy());
    });
    const blob = { digest: digestOf(bytes), sizeBytes: bytes.length };
    const read = await collect(repositoryAt(t, world.registry.host).readBlob(blob, { signal: never }));
    assert.ok(read.equals(bytes));
    assert.equal(world.requests.length, 2);
  });

  void test('that a registry never takes are not fetched without end', async (t) => {
    const { registry, requests } = await tokenWorld(
      t,
      manifests,
      (_request, response) => void response.end('{"token":"never"}'),
    );
    const text = /^unauthorized: authentication required$/;
    await assert.rejects(repositoryAt(t, registry.host).getManifest('1', { signal: never }), unauthorized(text));
    assert.equal(requests.length, 2);
  });

  void test('for a mount name the other repository too', async (t) => {
    const { registry, requests } = await tokenWorld(t, (request, response) => {
      response.writeHead(request.method === 'HEAD' ? 404 : 201);
      response.end();
    });
    const repository = repositoryAt(t, registry.host, { actions: 'push' });
    const pushed = await repository.pushBlob(
      { digest: digestOf(Buffer.from('x')), sizeBytes: 1 },
      { open: () => assert.fail('nothing is uploaded'), mountFrom: ['c/d'], signal: never },
    );
    assert.equal(pushed, 'mounted');
    assert.deepEqual(
      requests.map(({ query }) => query.getAll('scope')),
      [['repository:a/b:pull,push'], ['repository:a/b:pull,push', 'repository:c/d:pull']],
    );
  });

  void test('come for a refresh token by POST, and by password where the service knows no POST', async (t) => {
    let isPostKnown = true;
    const { registry, requests } = await tokenWorld(t, manifests, (request, response, world) => {
      if (request.method === 'POST' && !isPostKnown) return void response.writeHead(405).end();
      giveToken(request, response, world);
    });
    const credentials = { username: 'u', password: 'p', identityToken: 'refresh' };
    await repositoryAt(t, registry.host, { credentials }).getManifest('1', { signal: never });
    assert.deepEqual(Object.fromEntries(requests[0]?.form ?? []), {
      grant_type: 'refresh_token',
      refresh_token: 'refresh',
      service: 'the service',
      client_id: 'docker',
      scope: 'repository:a/b:pull',
    });
    isPostKnown = false;
    await repositoryAt(t, registry.host, { credentials }).getManifest('1', { signal: never });
    assert.deepEqual(
      requests.map(({ method }) => method),
      ['POST', 'POST', 'GET'],
    );
    assert.equal(requests[2]?.authorization, basic('u', 'p'));
  });

  void test('given ready-made are sent as they are', async (t) => {
    const { registry, requests, valid } = await tokenWorld(t, manifests);
    valid.add('ready');
    await repositoryAt(t, registry.host, { credentials: { registryToken: 'ready' } }).getManifest('1', {
      signal: never,
    });
    assert.equal(requests.length, 0);
  });
});

void describe('a token service', () => {
  void test('that refuses is told with the request it was for, without secrets', async (t) => {
    const { registry } = await tokenWorld(t, manifests, (_request, response) =>
      sendError(response, 401, 'UNAUTHORIZED', 'incorrect username or password'),
    );
    const repository = repositoryAt(t, registry.host, { credentials: { username: 'u', password: 'hunter2' } });
    await assert.rejects(repository.getManifest('1', { signal: never }), (error: unknown) => {
      unauthorized(
        /^Get "http:\/\/127\.0\.0\.1:\d+\/v2\/a\/b\/manifests\/1": unauthorized: incorrect username or password$/,
      )(error);
      assert.doesNotMatch(String(error instanceof Error ? error.stack : ''), /hunter2|aHVudGVyMg/);
      return true;
    });
  });

  void test('with an answer too long, without token or with an impossible one is refused', async (t) => {
    const answers: readonly [string, RegExp][] = [
      [`{"token":"${'x'.repeat(2 << 20)}"}`, /its answer is too long/],
      ['{}', /authorization server did not include a token in the response/],
      ['<html>', /unable to decode token response/],
      [String.raw`{"token":"a\r\nX-Evil: 1"}`, /impossible characters/],
    ];
    for (const [body, pattern] of answers) {
      const { registry } = await tokenWorld(t, manifests, (_request, response) => void response.end(body));
      await assert.rejects(repositoryAt(t, registry.host).getManifest('1', { signal: never }), (error: unknown) =>
        pattern.test(String(error)),
      );
    }
  });

  void test('that leads elsewhere takes no credentials along', async (t) => {
    const elsewhere = await fakeServer(t, (_request, response) => void response.end('{"token":"t"}'));
    const { registry, valid } = await tokenWorld(t, manifests, (_request, response) => {
      response.writeHead(307, { Location: `http://${elsewhere.host}/` });
      response.end();
    });
    valid.add('t');
    await repositoryAt(t, registry.host, { credentials: { username: 'u', password: 'p' } }).getManifest('1', {
      signal: never,
    });
    assert.equal(elsewhere.seen[0]?.headers.authorization, undefined);
  });
});

/** A registry behind a user and a password. */
function behindPassword(handler: Handler): Handler {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization === basic('u', 'p')) return handler(request, response);
    response.setHeader('WWW-Authenticate', 'Basic realm="x"');
    sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
  };
}

void describe('user and password', () => {
  void test("open a registry; none, and wrong ones, are told apart in Docker's words", async (t) => {
    const { host } = await fakeServer(t, behindPassword(manifests));
    await repositoryAt(t, host, { credentials: { username: 'u', password: 'p' } }).getManifest('1', { signal: never });
    await assert.rejects(
      repositoryAt(t, host).getManifest('1', { signal: never }),
      unauthorized(/^Get "http:\/\/127\.0\.0\.1:\d+\/v2\/a\/b\/manifests\/1": no basic auth credentials$/),
    );
    await assert.rejects(
      repositoryAt(t, host, { actions: 'push' }).hasBlob(digestOf(Buffer.from('')), { signal: never }),
      unauthorized(/^no basic auth credentials$/),
    );
    await assert.rejects(
      repositoryAt(t, host, { credentials: { username: 'u', password: 'wrong' } }).getManifest('1', { signal: never }),
      unauthorized(/^unauthorized: authentication required$/),
    );
  });

  void test('are verified by login', async (t) => {
    const { host } = await fakeServer(
      t,
      behindPassword((_request, response) => void response.end('{}')),
    );
    const client = clientFor(t);
    assert.equal(await client.login(host, { username: 'u', password: 'p' }, { signal: never }), '');
    assert.equal(await client.login(`http://${host}/v1/`, { username: 'u', password: 'p' }, { signal: never }), '');
    await assert.rejects(
      client.login(host, { username: 'u', password: 'wrong' }, { signal: never }),
      unauthorized(/^login attempt to http:\/\/127\.0\.0\.1:\d+\/v2\/ failed with status: 401 Unauthorized$/),
    );
  });
});

void test('login asks for a refresh token and answers it', async (t) => {
  const { registry, requests } = await tokenWorld(t, manifests, (request, response, world) => {
    world.valid.add('t');
    if (request.authorization !== basic('u', 'p'))
      return sendError(response, 401, 'UNAUTHORIZED', 'incorrect username or password');
    response.end('{"access_token":"t","refresh_token":"identity"}');
  });
  const client = clientFor(t);
  assert.equal(await client.login(registry.host, { username: 'u', password: 'p' }, { signal: never }), 'identity');
  assert.equal(requests[0]?.query.get('offline_token'), 'true');
  assert.equal(requests[0]?.query.get('client_id'), 'docker');
  await assert.rejects(
    client.login(registry.host, { username: 'u', password: 'no' }, { signal: never }),
    unauthorized(/^Get "http:\/\/127\.0\.0\.1:\d+\/v2\/": unauthorized: incorrect username or password$/),
  );
});

void test('search asks as Docker Hub is asked, and says where there is none', async (t) => {
  const { host, calls } = await fakeServer(t, (request, response) => {
    if (request.url?.startsWith('/v1/search') !== true) return void response.end('{}');
    response.end('{"results":[{"name":"busybox","star_count":3,"is_official":true},{"no":"name"}]}');
  });
  const options = { credentials: {}, signal: never };
  assert.deepEqual(await clientFor(t).search(host, { term: 'busy box', limit: 7 }, options), [
    { name: 'busybox', description: '', star_count: 3, is_official: true, is_automated: false },
  ]);
  assert.deepEqual(calls(), ['GET /v1/search?q=busy+box&n=7']);
  const without = await fakeServer(t, (_request, response) => void response.writeHead(404).end());
  await assert.rejects(clientFor(t).search(without.host, { term: 'x', limit: 1 }, options), (error: unknown) => {
    assert.ok(isKind(error, 'notFound'));
    return /cannot be searched: unexpected status code 404/.test(String(error));
  });
});
