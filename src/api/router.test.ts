import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, type Method } from './route.ts';
import { Router } from './router.ts';
import { allRoutes } from './routes/table.ts';
import { compareVersion, splitVersion } from './version.ts';

function find(method: string, path: string): [string, Record<string, string>] | undefined {
  const match = new Router(allRoutes({})).find(method, path);
  return match && [match.route.path, { ...match.params }];
}

test('Router prefers literals, and lets names span segments', () => {
  assert.deepEqual(find('GET', '/images/json'), ['/images/json', {}]);
  assert.deepEqual(find('GET', '/images/json/json'), ['/images/{name}/json', { name: 'json' }]);
  assert.deepEqual(find('GET', '/images/library/busybox/json'), ['/images/{name}/json', { name: 'library/busybox' }]);
  assert.deepEqual(find('GET', '/images/localhost:5000/a/b/c:1/get'), [
    '/images/{name}/get',
    { name: 'localhost:5000/a/b/c:1' },
  ]);
  assert.deepEqual(find('DELETE', '/images/a/json'), ['/images/{name}', { name: 'a/json' }]);
  assert.deepEqual(find('DELETE', '/containers/json'), ['/containers/{id}', { id: 'json' }]);
  assert.deepEqual(find('GET', '/containers/x/attach/ws'), ['/containers/{id}/attach/ws', { id: 'x' }]);
  assert.deepEqual(find('DELETE', '/containers/x/checkpoints/y'), [
    '/containers/{id}/checkpoints/{checkpoint}',
    { id: 'x', checkpoint: 'y' },
  ]);
  assert.deepEqual(find('OPTIONS', '/any/thing/at/all'), ['/{anyroute}', { anyroute: 'any/thing/at/all' }]);
  assert.deepEqual(find('GET', '/networks/'), ['/networks/', {}]);
});

test('Router decodes parameters, and knows what it does not know', () => {
  assert.deepEqual(find('GET', '/containers/%2Fname/json'), ['/containers/{id}/json', { id: '/name' }]);
  assert.deepEqual(find('GET', '/images/a%2Fb%40sha256%3Aff/json'), ['/images/{name}/json', { name: 'a/b@sha256:ff' }]);
  assert.deepEqual(find('GET', '/containers//json'), undefined);
  assert.deepEqual(find('GET', '/containers/x/nothing'), undefined);
  assert.deepEqual(find('PATCH', '/containers/x/json'), undefined);
  assert.deepEqual(find('GET', '/'), undefined);
  assert.throws(() => find('GET', '/containers/%zz/json'), URIError);
});

test('Router is quick also with hostile paths', () => {
  const router = new Router(allRoutes({}));
  const started = performance.now();
  for (const word of ['json/', 'checkpoints/']) {
    router.find('DELETE', `/containers/${word.repeat(100_000)}x`);
    router.find('DELETE', `/containers/${word.repeat(250)}`);
  }
  assert.ok(performance.now() - started < 500);
});

test('Router refuses two routes for one request', () => {
  const row = (method: Method, path: string): ReturnType<typeof answer> =>
    answer(method, path, { tag: '', summary: '', statuses: [] }, () => undefined);
  assert.throws(() => new Router([row('GET', '/a'), row('GET', '/a')]));
  assert.throws(() => new Router([row('GET', '/a/{b}'), row('GET', '/a/{c}/d')]));
});

test('splitVersion takes the prefix off and leaves other paths alone', () => {
  assert.deepEqual(splitVersion('/v1.41/info'), { version: '1.41', path: '/info' });
  assert.deepEqual(splitVersion('/volumes'), { version: undefined, path: '/volumes' });
  assert.deepEqual(splitVersion('/v1.41'), { version: undefined, path: '/v1.41' });
  assert.deepEqual(splitVersion('/version'), { version: undefined, path: '/version' });
});

test('compareVersion orders numbers, not text', () => {
  assert.ok(compareVersion('1.9', 24) < 0);
  assert.equal(compareVersion('1.24', 24), 0);
  assert.ok(compareVersion('1.100', 51) > 0);
  assert.ok(compareVersion('2', 51) > 0);
  assert.ok(compareVersion('1', 24) < 0);
  assert.ok(compareVersion('1.51.1', 51) > 0);
});
