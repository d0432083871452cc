import assert from 'node:assert/strict';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { runProgram } from '../../helpers/docker-cli.ts';
import { digestOf, errorCodes, RegistryProbe, someBytes } from '../../helpers/registry-client.ts';
import { TestRegistry } from '../../helpers/registry.ts';
import { until } from '../../helpers/until.ts';

const launcher = new URL('../../../bin/berth-registry', import.meta.url).pathname;

async function start(t: TestContext, config: Record<string, unknown> = {}): Promise<[TestRegistry, RegistryProbe]> {
  const registry = await TestRegistry.start({ config });
  t.after(async () => await registry.dispose());
  return [registry, new RegistryProbe(registry.url)];
}

async function command(registry: TestRegistry, ...args: string[]): Promise<{ exitCode: number; stdout: string }> {
  const result = await runProgram(launcher, [args[0] ?? '', '--config', registry.configPath, ...args.slice(1)]);
  assert.equal(result.stderr, '');
  return result;
}

function blobFiles(registry: TestRegistry): string[] {
  return readdirSync(join(registry.root, 'blobs', 'sha256'));
}

test('an upload goes on after a restart and after kill -9, and its digest is right', async (t) => {
  const [registry, probe] = await start(t);
  const content = someBytes(300_000);
  const location = await probe.beginUpload('a/b');
  await probe.send('PATCH', location, { body: content.subarray(0, 100_000) });
  await registry.kill9();
  await registry.launch();
  assert.equal((await probe.get(location)).headers.get('range'), '0-99999');
  await probe.send('PATCH', location, { body: content.subarray(100_000, 200_000) });
  await registry.terminate();
  await registry.launch();
  const done = await probe.send('PUT', `${location}?digest=${digestOf(content)}`, { body: content.subarray(200_000) });
  assert.equal(done.status, 201, done.body.toString());
  assert.equal((await command(registry, 'check', '--content')).stdout, '0 manifests, 1 blobs, 0 problems\n');
});

test('what arrived of a body that breaks off stays, and the upload goes on behind it', async (t) => {
  const [, probe] = await start(t);
  const content = someBytes(4_000_000);
  const location = await probe.beginUpload('a/b');
  const cut = request(probe.url + location, { method: 'PATCH', headers: { 'content-length': String(content.length) } });
  cut.on('error', () => undefined);
  cut.write(content.subarray(0, 3_000_000));
  const arrived = async (): Promise<number> =>
    Number(/^0-(\d+)$/.exec((await probe.get(location)).headers.get('range') ?? '')?.[1] ?? 0) + 1;
  await until(async () => (await arrived()) > 1, { what: 'the begin of the part' });
  cut.destroy();
  const offset = await arrived();
  const rest = { headers: { 'content-range': `${offset}-${content.length - 1}` }, body: content.subarray(offset) };
  assert.equal((await probe.send('PUT', `${location}?digest=${digestOf(content)}`, rest)).status, 201);
});

// Each step of a push, and what a client finds when the registry died there.
const steps: { point: string; isThere: boolean }[] = [
  { point: 'registry-upload-finished', isThere: false },
  { point: 'blob-before-rename', isThere: false },
  { point: 'blob-after-rename', isThere: false },
  { point: 'registry-blob-stored', isThere: false },
  { point: 'registry-blob-linked', isThere: true },
];
for (const { point, isThere } of steps) {
  test(`killed at ${point}: the blob is ${isThere ? 'there' : 'not there'}, nothing is broken, the push can be repeated`, async (t) => {
    const [registry, probe] = await start(t);
    await registry.terminate();
    await registry.launch({ BERTH_FAILPOINTS: point });
    const content = someBytes(50_000);
    const digest = digestOf(content);
    const location = await probe.beginUpload('a/b');
    await assert.rejects(probe.send('PUT', `${location}?digest=${digest}`, { body: content }));
    await registry.exited();
    await registry.launch();
    assert.equal((await probe.send('HEAD', `/v2/a/b/blobs/${digest}`)).status, isThere ? 200 : 404);
    assert.equal((await command(registry, 'check', '--content')).exitCode, 0);
    await probe.pushBlob('a/b', content);
    await command(registry, 'garbage-collect');
    assert.deepEqual(blobFiles(registry), [digest.slice(7)]);
  });
}

for (const [point, isThere] of [
  ['registry-manifest-stored', false],
  ['registry-manifest-committed', true],
] as const) {
  test(`killed at ${point}: tag and manifest are ${isThere ? 'both there' : 'both not there'}`, async (t) => {
    const [registry, probe] = await start(t);
    const { text, digest } = await probe.makeManifest('a/b');
    await registry.terminate();
    await registry.launch({ BERTH_FAILPOINTS: point });
    await assert.rejects(probe.pushManifest('a/b', 'tag', text));
    await registry.exited();
    await registry.launch();
    for (const reference of ['tag', digest]) {
      assert.equal((await probe.get(`/v2/a/b/manifests/${reference}`)).status, isThere ? 200 : 404);
    }
    assert.equal((await command(registry, 'check', '--content')).exitCode, 0);
  });
}

for (const point of ['registry-gc-unlinked', 'registry-gc-detached']) {
  test(`a collection killed at ${point} leaves the store sound, and the next one ends it`, async (t) => {
    const [registry, probe] = await start(t);
    const kept = await probe.pushImage('a/b', 'kept');
    const { digest } = await probe.pushImage('a/b', 'gone');
    await probe.send('DELETE', `/v2/a/b/manifests/${digest}`);
    await registry.terminate();
    const killed = await runProgram(launcher, ['garbage-collect', '--config', registry.configPath, '--grace', '0'], {
      env: { BERTH_FAILPOINTS: point },
    });
    assert.notEqual(killed.exitCode, 0);
    await registry.launch();
    await command(registry, 'garbage-collect', '--grace', '0');
    assert.equal((await command(registry, 'check', '--content')).exitCode, 0);
    const wanted = [kept.digest, ...kept.blobs].map((each) => each.slice(7)).sort();
    assert.deepEqual(blobFiles(registry).sort(), wanted);
    assert.deepEqual(readdirSync(join(registry.root, 'ingest')), []);
  });
}

test('garbage is collected while pushes go on: every push succeeds and every image is whole', async (t) => {
  const [registry, probe] = await start(t);
  let isPushing = true;
  const collecting = (async () => {
    let rounds = 0;
    for (; isPushing; rounds++) await command(registry, 'garbage-collect', '--grace', '10');
    return rounds;
  })();
  const pushed = await Promise.all(
    Array.from({ length: 4 }, async (_, worker) => {
      for (let round = 0; round < 15; round++) await probe.pushImage(`busy/worker-${worker}`, `v${round}`);
    }),
  );
  isPushing = false;
  assert.ok((await collecting) > 0);
  assert.equal(pushed.length, 4);
  const checked = await command(registry, 'check', '--content');
  assert.deepEqual([checked.exitCode, checked.stdout.split(',')[0]], [0, '60 manifests']);
});

test('collection: untagged manifests go on request, indexes keep their images and subjects their referrers', async (t) => {
  const [registry, probe] = await start(t);
  const lost = await probe.pushImage('a/b', 'moving');
  const child = await probe.makeManifest('a/b');
  await probe.pushManifest('a/b', child.digest, child.text);
  const type = 'application/vnd.oci.image.index.v1+json';
  const index = {
    schemaVersion: 2,
    mediaType: type,
    manifests: [
      { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: child.digest, size: child.text.length },
    ],
  };
  await probe.pushManifest('a/b', 'moving', index, type);
  const subject = { mediaType: type, digest: digestOf(JSON.stringify(index)), size: 3 };
  const referrer = await probe.makeManifest('a/b', { subject });
  await probe.pushManifest('a/b', referrer.digest, referrer.text);
  await command(registry, 'garbage-collect', '--grace', '0');
  assert.equal((await probe.get(`/v2/a/b/manifests/${lost.digest}`)).status, 200);
  const { stdout } = await command(registry, 'garbage-collect', '--grace', '0', '--delete-untagged');
  assert.match(stdout, /^manifests removed: 1\n/);
  assert.equal((await probe.get(`/v2/a/b/manifests/${lost.digest}`)).status, 404);
  for (const digest of [child.digest, referrer.digest])
    assert.equal((await probe.get(`/v2/a/b/manifests/${digest}`)).status, 200);
});

test('two pushes of one tag: one wins whole', async (t) => {
  const [, probe] = await start(t);
  const made = await Promise.all(Array.from({ length: 8 }, async () => await probe.makeManifest('a/b')));
  const answers = await Promise.all(made.map(async ({ text }) => await probe.pushManifest('a/b', 'contested', text)));
  assert.ok(answers.every(({ status }) => status === 201));
  const winner = await probe.get('/v2/a/b/manifests/contested');
  assert.equal(digestOf(winner.body), winner.headers.get('docker-content-digest'));
  assert.ok(made.some(({ text }) => text === winner.body.toString()));
});

test('quota: what does not fit is DENIED with the numbers, and what is there already counts once', async (t) => {
  const [, probe] = await start(t, { quotas: [{ repository: 'small/*', bytes: 10_000 }] });
  const first = someBytes(6000);
  await probe.pushBlob('small/a', first);
  await probe.pushBlob('small/a', first);
  const second = someBytes(6000);
  const location = await probe.beginUpload('small/a');
  const refused = await probe.send('PUT', `${location}?digest=${digestOf(second)}`, { body: second });
  assert.deepEqual([refused.status, errorCodes(refused)], [403, ['DENIED']]);
  assert.match(refused.body.toString(), /6000 of 10000 bytes are in use/);
  await probe.pushBlob('small/b', second);
  const mount = await probe.send('POST', `/v2/small/a/blobs/uploads/?mount=${digestOf(second)}&from=small/b`);
  assert.equal(mount.status, 403);
  await probe.pushBlob('large/a', someBytes(20_000));
});

test('uploads expire, and too many at once are refused', async (t) => {
  const [registry, probe] = await start(t, { uploads: { expireAfterSeconds: 1, maxOpen: 3 } });
  const location = await probe.beginUpload('a/b');
  await probe.send('PATCH', location, { body: 'x' });
  await probe.beginUpload('a/b');
  await probe.beginUpload('a/b');
  const refused = await probe.send('POST', '/v2/a/b/blobs/uploads/');
  assert.deepEqual([refused.status, errorCodes(refused)], [429, ['TOOMANYREQUESTS']]);
  await until(async () => (await probe.get(location)).status === 404, { what: 'the end of the upload' });
  await until(() => readdirSync(join(registry.root, 'uploads')).length === 0, { what: 'the end of its file' });
  await probe.beginUpload('a/b');
});

test('check finds missing, short and changed content and dangling references; repair makes it pushable again', async (t) => {
  const [registry, probe] = await start(t);
  const { text, blobs } = await probe.pushImage('a/b', 'one');
  const other = someBytes(100);
  const changed = await probe.pushBlob('a/b', other);
  const layer = blobs[1] ?? '';
  truncateSync(join(registry.root, 'blobs/sha256', layer.slice(7)), 10);
  writeFileSync(join(registry.root, 'blobs/sha256', changed.slice(7)), someBytes(100));
  const quick = await command(registry, 'check');
  assert.deepEqual([quick.exitCode, quick.stdout.split('\n').length], [1, 3]);
  assert.match(quick.stdout, /it has 10 bytes instead of 1000/);
  const thorough = await command(registry, 'check', '--content', '--repair');
  assert.match(thorough.stdout, /its content does not have its digest; removed/);
  assert.match(thorough.stdout, /the blob sha256:\w+ is not there/);
  await probe.pushBlob('a/b', other);
  assert.equal((await probe.pushManifest('a/b', 'one', text)).status, 404);
});

test('two processes never work in one directory', async (t) => {
  const [registry] = await start(t);
  const second = await runProgram(launcher, ['serve', '--root', registry.root, '--listen', '127.0.0.1:0']);
  assert.equal(second.exitCode, 1);
  assert.match(second.stderr, /another process works in/);
});

test('configuration: unknown keys, wrong values and unknown variables are refused by name', async () => {
  const run = async (args: string[], env: Record<string, string> = {}): Promise<string> =>
    (await runProgram(launcher, ['serve', '--validate', ...args], { env })).stderr;
  assert.match(await run(['--set', 'uploads.nonsense=1']), /uploads\.nonsense: there is no such key/);
  assert.match(await run(['--set', 'uploads.maxOpen=0']), /uploads\.maxOpen: /);
  assert.match(await run([], { BERTH_REGISTRY_LISTENN: 'x' }), /BERTH_REGISTRY_LISTENN names no key/);
  assert.match(await run(['--nonsense']), /nonsense/);
  assert.equal(
    await run(['--set', 'quotas=[{"repository":"a/*","bytes":5}]'], { BERTH_REGISTRY_UPLOADS_MAXOPEN: '5' }),
    '',
  );
});
