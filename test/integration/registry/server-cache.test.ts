import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { runProgram } from '../../helpers/docker-cli.ts';
import { errorCodes, RegistryProbe, someBytes } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';
import { until } from '../../helpers/until.ts';

const launcher = new URL('../../../bin/berth-registry', import.meta.url).pathname;

interface Pair {
  readonly upstream: TestRegistry;
  readonly there: RegistryProbe;
  readonly cache: TestRegistry;
  readonly here: RegistryProbe;
}

async function startPair(t: TestContext, proxy: Record<string, unknown> = {}): Promise<Pair> {
  const upstream = await TestRegistry.start();
  t.after(async () => await upstream.dispose());
  const cache = await TestRegistry.start({ config: { proxy: { upstream: upstream.url, ...proxy } } });
  t.after(async () => await cache.dispose());
  return { upstream, there: new RegistryProbe(upstream.url), cache, here: new RegistryProbe(cache.url) };
}

test('cache: manifests and blobs come through unchanged, once, and are served without the upstream', async (t) => {
  const { upstream, there, cache, here } = await startPair(t);
  const { text, blobs } = await there.pushImage('a/b', '1');
  assert.equal((await here.get('/v2/a/b/manifests/1')).body.toString(), text);
  const layer = blobs[1] ?? '';
  assert.equal((await here.send('HEAD', `/v2/a/b/blobs/${layer}`)).headers.get('content-length'), '1000');
  const answers = await Promise.all(Array.from({ length: 5 }, async () => await here.get(`/v2/a/b/blobs/${layer}`)));
  const original = await there.get(`/v2/a/b/blobs/${layer}`);
  for (const { status, body } of answers) assert.ok(status === 200 && body.equals(original.body));
  const fetches = (): number => upstream.log().split(`"method":"GET","path":"/v2/a/b/blobs/${layer}"`).length - 1;
  // The cache's one and our own.
  await until(() => fetches() === 2, { what: 'two requests for the layer upstream' });
  await upstream.kill9();
  assert.equal((await here.get('/v2/a/b/manifests/1')).body.toString(), text);
  assert.ok((await here.get(`/v2/a/b/blobs/${layer}`)).body.equals(original.body));
  const unknown = await here.get('/v2/a/other/manifests/1');
  assert.deepEqual([unknown.status, errorCodes(unknown)], [503, ['UNAVAILABLE']]);
  assert.equal(
    (await runProgram(launcher, ['check', '--config', cache.configPath])).stdout.split(',')[2],
    ' 0 problems\n',
  );
});

test('cache: a tag that moved is seen after its time, one that went is gone, digests are never asked for again', async (t) => {
  const { there, here } = await startPair(t, { freshSeconds: 0 });
  const first = await there.pushImage('a/b', '1');
  assert.equal((await here.get('/v2/a/b/manifests/1')).headers.get('docker-content-digest'), first.digest);
  const second = await there.pushImage('a/b', '1');
  assert.equal((await here.get('/v2/a/b/manifests/1')).headers.get('docker-content-digest'), second.digest);
  await there.send('DELETE', '/v2/a/b/manifests/1');
  assert.equal((await here.get('/v2/a/b/manifests/1')).status, 404);
  assert.equal((await here.get(`/v2/a/b/manifests/${first.digest}`)).status, 200);
  assert.equal((await here.get('/v2/a/none/manifests/1')).status, 404);
});

test('cache: a tag within its time is not asked for again; pushing is refused', async (t) => {
  const { there, here } = await startPair(t, { freshSeconds: 1000 });
  const first = await there.pushImage('a/b', '1');
  await here.get('/v2/a/b/manifests/1');
  await there.pushImage('a/b', '1');
  assert.equal((await here.get('/v2/a/b/manifests/1')).headers.get('docker-content-digest'), first.digest);
  const refused = await here.send('POST', '/v2/a/b/blobs/uploads/');
  assert.deepEqual([refused.status, errorCodes(refused)], [405, ['UNSUPPORTED']]);
});

test('cache: what nobody asks for any more goes, with its bytes', async (t) => {
  const { there, cache, here } = await startPair(t, { keepSeconds: 1, freshSeconds: 0 });
  const { blobs } = await there.pushImage('a/b', '1');
  await here.get('/v2/a/b/manifests/1');
  await here.get(`/v2/a/b/blobs/${blobs[1]}`);
  await until(() => cache.log().includes('"cached images expired"'), { what: 'the expiry' });
  await until(
    async () => (await runProgram(launcher, ['check', '--config', cache.configPath])).stdout.startsWith('0 manifests'),
    {
      what: 'the end of what was cached',
    },
  );
  assert.equal((await here.get('/v2/a/b/manifests/1')).status, 200);
});

test('cache: a blob that breaks its digest upstream is never kept, and the client does not get it whole', async (t) => {
  const { upstream, there, cache, here } = await startPair(t);
  const { blobs } = await there.pushImage('a/b', '1');
  await here.get('/v2/a/b/manifests/1');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${upstream.root}/blobs/sha256/${blobs[1]?.slice(7)}`, someBytes(1000));
  const answer = await here.get(`/v2/a/b/blobs/${blobs[1]}`).catch(() => undefined);
  assert.notEqual(answer?.status, 200);
  const checked = await runProgram(launcher, ['check', '--content', '--config', cache.configPath]);
  assert.equal(checked.exitCode, 0, checked.stdout);
});
